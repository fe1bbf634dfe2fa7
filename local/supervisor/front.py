"""What answers callers: the functions' executor, the control listener and the gateway, started in this order."""

from collections.abc import Sequence
from contextlib import AsyncExitStack

from local.executor.executor import Executor
from local.executor.function import Function
from local.executor.invoke_api import InvokeApi
from local.gateway.authorizer import Authorizer
from local.gateway.gateway import Gateway
from local.identity import Identity
from local.servers.ports import LOOPBACK
from local.servers.process_id import ProcessId
from local.supervisor.plan import Plan
from local.supervisor.schedules import Schedules
from local.supervisor.state import Ports, issuer


class Front:
    """Executor, control listener and gateway of one supervisor.

    Attributes:
        schedules: what is invoked without a caller; to be run once everything is up.
    """

    def __init__(self, plan: Plan, functions: Sequence[Function]) -> None:
        self._plan = plan
        self._executor = Executor(functions, log_dir=plan.state_folder / "functions")
        called = {route.function for route in plan.routes}
        self._names = [function.name for function in functions if function.name in called]
        self.schedules = Schedules(plan.schedules, self._executor.ainvoke)

    async def start(self, stack: AsyncExitStack, ports: Ports) -> Ports:
        """Start all three and wait until every function that a route calls has an environment ready.

        Args:
            stack: gets the stop of each as soon as it may need one.
            ports: the servers' ports.

        Returns:
            The same with the gateway's and the control listener's.

        Raises:
            EbbError: a port is taken, or a function cannot start.
        """
        identity = Identity.load_or_create(self._plan.state_folder)
        stack.push_async_callback(self._executor.stop)
        await self._executor.start()
        for name in self._names:
            await self._executor.ready(name)
        control = InvokeApi(self._executor, {})
        stack.push_async_callback(control.stop)
        control_port = await control.start(LOOPBACK, self._plan.control_port)
        # Only now is the port known that the documents name.
        control.documents.update(identity.documents(issuer(control_port)))
        authorizer = Authorizer(identity.jwks(), issuer=issuer(control_port), audience=self._plan.audience)
        gateway = Gateway(self._executor, self._plan.routes, authorizer, payload=self._plan.payload)
        stack.push_async_callback(gateway.stop)
        gateway_port = await gateway.start(host=LOOPBACK, port=self._plan.gateway_port)
        return ports.model_copy(update={"control": control_port, "gateway": gateway_port})

    def processes(self) -> dict[str, ProcessId]:
        """Return the environments' living processes, by "FUNCTION/NUMBER"."""
        found = {}
        for name, function in self._executor.status().items():
            for number, environment in enumerate(function.environments):
                process = None if environment.pid is None else ProcessId.of(environment.pid)
                if process is not None:
                    found[f"{name}/{number}"] = process
        return found

    def functions(self) -> dict[str, int]:
        """Return how many environments of each function are alive."""
        alive = [name.rpartition("/")[0] for name in self.processes()]
        return {name: alive.count(name) for name in self._executor.status()}
