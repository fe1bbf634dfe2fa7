"""Routes of the gateway and how a request finds its own."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from ebb.errors import Misuse
from local.gateway.throttle import Throttle

_TEMPLATE = re.compile(r"(?:/(?:[A-Za-z0-9._~-]+|\{[A-Za-z_][A-Za-z0-9_]*\}))+")
ANY = "ANY"


@dataclass(frozen=True)
class Route:
    """One route.

    Attributes:
        method: HTTP method, or "ANY".
        path: template, such as "/v1/features/{entity_id}"; a parameter is one whole segment.
        function: name of the function that answers.
        authorized: whether a valid token is needed.
        scopes: when given, the token must have at least one of them.
        throttle: how fast the route may be called; None for no limit.
    """

    method: str
    path: str
    function: str
    authorized: bool = True
    scopes: tuple[str, ...] = ()
    throttle: Throttle | None = None

    def __post_init__(self) -> None:
        """Refuse a template that could never match.

        Raises:
            Misuse: names the template.
        """
        if self.path != "/" and not _TEMPLATE.fullmatch(self.path):
            raise Misuse(f'the route template "{self.path}" is not a path of literal and {{parameter}} segments')
        if not self.method.isupper():
            raise Misuse(f'the route method "{self.method}" is not an upper-case HTTP method')
        if self.scopes and not self.authorized:
            raise Misuse(f'the route "{self.key}" asks for scopes but not for a token')

    @property
    def key(self) -> str:
        """The route key, such as "GET /v1/releases"."""
        return f"{self.method} {self.path}"


Parameters = dict[str, str]
_NO_PARAMETERS: Parameters = {}


class _Pattern:
    """A route with parameters, split into segments."""

    def __init__(self, route: Route) -> None:
        self.route = route
        self.segments = tuple(route.path.split("/"))
        self.names = tuple(part[1:-1] if part.startswith("{") else None for part in self.segments)
        if len(named := [name for name in self.names if name]) != len(set(named)):
            raise Misuse(f'the route template "{route.path}" names a parameter twice')
        # Literal segments before parameters, from the left: the most specific route is tried first.
        self.order = tuple(name is not None for name in self.names), route.method == ANY

    def match(self, segments: list[str]) -> Parameters | None:
        """Return the parameters' raw values when the path fits."""
        found: Parameters = {}
        for mine, name, given in zip(self.segments, self.names, segments, strict=True):
            if name is None:
                if mine != given:
                    return None
            elif not given:
                return None
            else:
                found[name] = given
        return found


class RouteTable:
    """All routes: a literal path is one look-up, a path with parameters a few comparisons.

    The most specific route wins: literal before parameter, a named method before ANY.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes: dict[str, Route] = {}
        self.literal: dict[tuple[str, str], Route] = {}
        self.patterns: dict[int, list[_Pattern]] = {}
        shapes: set[str] = set()
        for route in routes:
            shape = re.sub(r"\{[^}]*\}", "{}", route.key)
            if shape in shapes:
                raise Misuse(f'two routes answer "{route.key}"; keep one')
            shapes.add(shape)
            self.routes[route.key] = route
            if "{" in route.path:
                pattern = _Pattern(route)
                self.patterns.setdefault(len(pattern.segments), []).append(pattern)
            else:
                self.literal[route.method, route.path] = route
        for patterns in self.patterns.values():
            patterns.sort(key=lambda pattern: pattern.order)

    def find(self, method: str, path: str) -> tuple[Route, Parameters] | None:
        """Return the route of a request and its decoded path parameters, or None.

        Args:
            method: HTTP method.
            path: the raw path, without the query; percent-encoding is decoded in parameters only.
        """
        route = self.literal.get((method, path)) or self.literal.get((ANY, path))
        if route is not None:
            return route, _NO_PARAMETERS
        segments = path.split("/")
        for pattern in self.patterns.get(len(segments), ()):
            if pattern.route.method in {method, ANY} and (found := pattern.match(segments)) is not None:
                return pattern.route, {name: unquote(value) for name, value in found.items()}
        return None
