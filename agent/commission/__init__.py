"""From a unit that is built to a unit that counts: the walk test, its signed result, and what follows from it.

`course` and `plan` say what is to be proved (pure); `steps` does it with the engineer and the running unit; `seal`
signs the result, `sheet` prints it, `standing` tells the daemon what of it still holds.
"""
