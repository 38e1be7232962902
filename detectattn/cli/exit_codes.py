"""The exit codes of every command; 0 is success."""

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_BUG = 3
EXIT_PARTIAL = 4
EXIT_INTERRUPTED = 130
