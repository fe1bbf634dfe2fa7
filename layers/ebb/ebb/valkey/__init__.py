"""The fast tier: Valkey, by the synchronous `redis` client.

`features` is the adapter; `link` one connection, `server` all connections to one server with its breaker, `exchange`
one question, `hedge` the choice between primary and replica, `answers` and `scripts` what is said. Beside the way of
a prediction: `writer` the writes, `holdings` what is held, `refilled` how far it was filled anew. `refusal` is what
failures mean.
"""
