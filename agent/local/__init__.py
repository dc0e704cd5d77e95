"""The unit's own door for people who stand beside it: a local socket, for the walk test and the drill. No network."""
