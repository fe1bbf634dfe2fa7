"""A run is for one snapshot, so its time can stand in the SQL: the engine then reads only what the text asks for.

Joined to a relation of one row, a condition such as `event_time >= snapshot_time - INTERVAL '60' DAY` is known only
when the query runs, and everything is read. As a literal it is known before, and parts of files whose times lie
elsewhere are passed over.
"""

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from ebb.contract import SNAPSHOT_TIME

_RELATION = "snapshots"


def with_literal(query: exp.Expr, moment: exp.Expr) -> exp.Expr:
    """Replace `snapshots` by its one moment wherever that is the same.

    Args:
        query: qualified, so that every column names its table; changed in place.
        moment: the snapshot as an expression.

    Returns:
        The query; SELECTs that join `snapshots` in another way than by an inner or cross join stay as they are.
    """
    for scope in traverse_scope(query):
        select = scope.expression
        if isinstance(select, exp.Select):
            _replace(scope, select, moment)
    return query


def _replace(scope: Scope, select: exp.Select, moment: exp.Expr) -> None:
    joins: list[exp.Join] = select.args.get("joins") or []
    first = select.args.get("from_")
    if first is None or not joins or any(map(_is_outer, joins)):
        return
    found = [table for table in (first.this, *(join.this for join in joins)) if _is_snapshots(scope, table)]
    if len(found) != 1 or any(isinstance(join.this, exp.Lateral | exp.Unnest) for join in joins):
        return
    alias = found[0].alias_or_name
    columns = [column for column in select.find_all(exp.Column) if column.table == alias]
    stars = [star for star in select.find_all(exp.Star) if not isinstance(star.parent, exp.Count)]
    if stars or any(column.name != SNAPSHOT_TIME for column in columns):
        return
    conditions = [join.args["on"] for join in joins if join.args.get("on") is not None]
    others = [table for table in (first.this, *(join.this for join in joins)) if table is not found[0]]
    for column in columns:
        column.replace(moment.copy())
    first.set("this", others[0])
    select.set("joins", [exp.Join(this=other, kind="CROSS") for other in others[1:]])
    for condition in conditions:
        select.where(condition, copy=False)
    _drop_constant_groups(select, moment)


def _drop_constant_groups(select: exp.Select, moment: exp.Expr) -> None:
    """Group by what differs. Alone, the moment stays: without any group, no row would make one."""
    group = select.args.get("group")
    if group is None or any(group.args.get(key) for key in ("rollup", "cube", "grouping_sets", "all")):
        return
    others = [expression for expression in group.expressions if expression != moment]
    if others:
        group.set("expressions", others)


def _is_outer(join: exp.Join) -> bool:
    plain = not join.side and not join.method and join.kind.upper() in {"", "INNER", "CROSS"}
    return not plain or bool(join.args.get("using"))


def _is_snapshots(scope: Scope, table: exp.Expr) -> bool:
    return isinstance(table, exp.Table) and table.name == _RELATION and scope.sources.get(table.alias_or_name) is table
