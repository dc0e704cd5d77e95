"""How a file gets to a web server. Everything here blocks, and runs in an upload's own thread."""
