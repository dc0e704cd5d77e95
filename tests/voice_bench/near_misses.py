"""Talk that comes near the phrases, and never holds a whole one. Written for this bench alone.

None of these holds one of the builder's own near misses (`voicemodel.texts`), so that a model has not learned them. The
shipped one had: "help him", "helmet" and "send the parcel" of these, "held me" of the rhymes.
"""

from __future__ import annotations

NEAR_MISSES = tuple(
    line
    for line in """
can you help him carry the piano
we helped our neighbours move out
help was on its way by then
thanks for helping with the boxes
nobody could help laughing
she went to help at the market
help wanted in the kitchen
the helper brought me a towel
that kelp smells like the sea
a whelp sat beside me
tell my sister i said hello
elbow me once more and i leave
hell may freeze before he pays
hold me a seat by the window
well me and my brother went fishing
show me how it works
let me think about it
give me a minute to find my shoes
wake me when we get there
remind me to buy stamps
i need a haircut
i need to hear that song again
i needed her address
i need his number for the party
i kneaded half the dough
all i need is a cup of coffee
what i need now is some sleep
he needs half an hour
they need heaps of sand
you need new tyres
please have a seat
please hear the other side too
the police held a meeting
the police helmet was on display
police health checks are free
peace held for a year
pleased to have met you
yes please and a slice of lemon
could you please open the window
please heap the leaves over there
call the plumber about the tap
call the plaza hotel for a table
call the bakery before nine
call the polish shop on the corner
call a cab for your mother
call it a day
crawl to the police line and wait
fall the leaves and the park is empty
small police stations were closed
tall the palace walls may be
they called the dog inside
she called to please her father
the parade passed the police museum
there was police tape on the bridge
leave my coat on the chair
leave me a message after six
he lives alone with two cats
leaf me through that catalogue
relieve me at noon
get off at the next stop
get off early on fridays
get on my bike and hold tight
get of me what you can
he got off with a warning
take the lid off my cup
send the postcard to grandma
send the pole east of the river
send the parcel by train
bend the policy a little
some one hundred people came
someone asked me the time
some help from me came too late
me and someone from work
""".strip().splitlines()
)
"""Lines that hold words of a phrase, or begin like one."""

RHYMES = tuple(
    line
    for line in """
it did not help much in the end
he held me a place in the queue
i need hell of a lot more time
i need held back paint for this wall
my knee held up quite well
please hem these trousers
please held the sign above the gate
please sell me the green one
call the place where we met
all the police cars are blue
leave the loan to the bank
believe me a loan is expensive
she sent the police report back
someone helped the driver park
someone held the door
""".strip().splitlines()
)
"""Lines that sound like a phrase but for a quarter of its sounds: a person may take them for it too."""
