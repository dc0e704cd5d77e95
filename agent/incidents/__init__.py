"""What an incident is and what happens next. Pure: no I/O, no clock, no asyncio.

`Incidents` is the way in. Inside, each file holds one idea: `incident` is the state of one incident; `course`,
`duress`, `feedback`, `evidence`, `response` and `confirmation` are what can happen to it; `turn` collects what one
call decided.
"""

from agent.incidents.engine import Incidents

__all__ = ["Incidents"]
