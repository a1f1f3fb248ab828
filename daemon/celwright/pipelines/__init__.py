"""One job, one generator of events. Knows no wire and no command line."""
