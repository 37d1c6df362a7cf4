package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// asWatchword is the environment variable that makes TestAsWatchword be the
// program itself, in a process of its own; it holds the arguments.
const asWatchword = "TEST_AS_WATCHWORD"

// TestAsWatchword is no test: it is the program for those that need a second process.
func TestAsWatchword(t *testing.T) {
	text := os.Getenv(asWatchword)
	if text == "" {
		t.Skip("only runs when another test starts it")
	}
	var args []string
	if err := json.Unmarshal([]byte(text), &args); err != nil {
		t.Fatal(err)
	}
	os.Args = append(os.Args[:1], args...)
	main()
}

// process is the command that runs the program with these arguments.
func process(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAsWatchword$")
	cmd.Env = append(os.Environ(), asWatchword+"="+string(text))
	return cmd
}

// elsewhere runs a command line in a process of its own and returns what it printed.
func elsewhere(t *testing.T, args ...string) string {
	t.Helper()
	cmd := process(t, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("watchword %s: %v\n%s%s", strings.Join(args, " "), err, out.String(), errs.String())
	}
	return out.String()
}

// TestDemo is what `make run` shows: from nothing to the first correlated alert
// about what happens now, while a second process asks.
func TestDemo(t *testing.T) {
	t.Parallel()
	store := filepath.Join(t.TempDir(), "store")
	ctx, stop := context.WithCancel(t.Context())
	p, out, errs := testProgram(t)
	p.environ = []string{"OP_EVENTS_TOKEN=eyJ.not.used"}
	ended := make(chan int, 1)
	go func() { ended <- p.run(ctx, []string{"--store", store, "--log-level", "debug", "run", "--demo"}) }()

	const first = "CRITICAL  Item export after repeated failed sign-ins\n"
	eventually(t, time.Minute, "the first story's alert", func() bool {
		if len(ended) > 0 {
			t.Fatalf("the demo ended:\n%s%s", out, errs)
		}
		_, after, found := strings.Cut(out.String(), "history  ")
		return found && strings.Contains(after, first)
	})
	list := elsewhere(t, "--store", store+"-demo", "--json", "alerts", "list", "--rule", "export-after-failed-signins", "--since", "5m")
	var a struct {
		ID         string
		Historical bool
		Count      int
	}
	if err := json.Unmarshal([]byte(strings.SplitN(list, "\n", 2)[0]), &a); err != nil || a.Historical || a.Count < 6 {
		t.Errorf("want the story's alert from a second process, got %v\n%s", err, list)
	}
	if shown := elsewhere(t, "--store", store+"-demo", "alerts", "show", a.ID); strings.Count(shown, `"category":"`) < 5 {
		t.Errorf("want the alert with its events, got\n%s", shown)
	}
	stop()
	select {
	case code := <-ended:
		if code != exitFine {
			t.Errorf("exit code %d\n%s", code, errs)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the demo does not stop")
	}
	for _, want := range []string{"store    " + store, "source   acme:", "rules    16", "acme fine", "stopped\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("want %q in\n%s", want, out)
		}
	}
	if text := out.String() + errs.String(); strings.Contains(text, "eyJ") {
		t.Errorf("a token was printed:\n%s", text)
	}
	if strings.Contains(errs.String(), "level=ERROR") {
		t.Errorf("errors were logged:\n%s", errs)
	}
}

func TestDemoBeginsAnew(t *testing.T) {
	t.Parallel()
	store := filepath.Join(t.TempDir(), "store")
	demo := func() string {
		p, out, errs := testProgram(t)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		ended := make(chan int, 1)
		go func() { ended <- p.run(ctx, []string{"--store", store, "demo", "--every", "1h"}) }()
		eventually(t, time.Minute, "the digest of the history", func() bool {
			return strings.Contains(out.String(), "history  acme-2:") || len(ended) > 0
		})
		stop()
		if code := <-ended; code != exitFine {
			t.Fatalf("exit code %d\n%s%s", code, out, errs)
		}
		return out.String()
	}
	demo()
	if second := demo(); strings.Contains(second, "from before: ") {
		t.Errorf("the second demo goes on with the first one's alerts:\n%s", second)
	}
	// A store that no demo made is never removed.
	if err := os.Remove(filepath.Join(store+"-demo", demoMark)); err != nil {
		t.Fatal(err)
	}
	_, errs := runs(t, exitProblems, "--store", store, "demo")
	if !strings.Contains(errs, "was not made by a demo") {
		t.Errorf("unexpected error: %s", errs)
	}
	runs(t, exitFine, "--store", store+"-demo", "alerts", "list")
}
