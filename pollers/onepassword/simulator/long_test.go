package simulator

import "os"

// long asks for the variants of tests that take minutes.
func long() bool { return os.Getenv("WATCHWORD_LONG") == "1" }
