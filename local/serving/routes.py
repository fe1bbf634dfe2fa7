"""Which function answers which call, and which is invoked without a caller."""

from local.gateway.routes import Route
from local.supervisor.schedules import Schedule
from stacks import routes

ROUTES = tuple(Route(route.method, route.path, route.function, authorized=route.authorized) for route in routes.ROUTES)
SCHEDULES = (Schedule("maintain", {"task": "all"}, 5.0, {"valkey": {"task": "refill"}}),)
