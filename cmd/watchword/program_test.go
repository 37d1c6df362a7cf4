package main

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"
)

// output is a buffer that a running program writes and a test reads.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// testProgram is an invocation with no environment of the machine's.
func testProgram(t *testing.T) (p *program, out, errs *output) {
	t.Helper()
	out, errs = &output{}, &output{}
	return &program{out: out, err: errs, now: time.Now}, out, errs
}

// runs runs a command line that must end with the exit code, and returns what
// it printed.
func runs(t *testing.T, code int, args ...string) (out, errs string) {
	t.Helper()
	p, o, e := testProgram(t)
	if got := p.run(t.Context(), args); got != code {
		t.Fatalf("watchword %s\nwant exit code %d, got %d\n%s%s", strings.Join(args, " "), code, got, o, e)
	}
	return o.String(), e.String()
}

// eventually waits until the condition holds.
func eventually(t *testing.T, within time.Duration, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("after %s still not: %s", within, what)
		}
		time.Sleep(20 * time.Millisecond) // between two looks; the deadline decides
	}
}
