"""Talk that holds parts of the phrases, or sounds like them, and never a whole one. Written for this bench alone.

None of these is among the builder's own near misses (`voicemodel.texts`), so that the model has not learned them.
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
it did not help much in the end
help wanted in the kitchen
the helper brought me a towel
that kelp smells like the sea
a whelp sat beside me
tell my sister i said hello
he held me a place in the queue
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
i need hell of a lot more time
i need to hear that song again
i need held back paint for this wall
i needed her address
i need his number for the party
i kneaded half the dough
all i need is a cup of coffee
what i need now is some sleep
my knee held up quite well
he needs half an hour
they need heaps of sand
you need new tyres
please have a seat
please hem these trousers
please held the sign above the gate
please hear the other side too
please sell me the green one
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
call the place where we met
call a cab for your mother
call it a day
crawl to the police line and wait
all the police cars are blue
fall the leaves and the park is empty
small police stations were closed
tall the palace walls may be
they called the dog inside
she called to please her father
the parade passed the police museum
there was police tape on the bridge
leave my coat on the chair
leave me a message after six
leave the loan to the bank
he lives alone with two cats
leaf me through that catalogue
believe me a loan is expensive
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
she sent the police report back
bend the policy a little
someone helped the driver park
someone held the door
some one hundred people came
someone asked me the time
some help from me came too late
me and someone from work
""".strip().splitlines()
)
