package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"watchword/pollers/onepassword/simulator"
	"watchword/pollers/onepassword/simulator/simulatortest"
)

// TestRun starts the program as an operator does: a configuration file, a token
// file, a process that is told to stop, and started again.
func TestRun(t *testing.T) {
	t.Parallel()
	world := simulator.NewWorld(simulator.WorldConfig{
		Seed: 3, People: 20, Days: 3, Rounds: 1, Start: time.Now().AddDate(0, 0, -4), Stories: []string{"guess-then-export", "vault-export"},
	})
	sim := simulatortest.Start(t, simulator.Config{Worlds: []*simulator.World{world}})
	dir := t.TempDir()
	token := sim.Token(world.Account())
	write(t, filepath.Join(dir, "token"), token)
	config := filepath.Join(dir, "watchword.yaml")
	write(t, config, fmt.Sprintf("store: %s\nsources:\n  - {name: acme, url: %q, token_file: %s, interval: 1s}\n  - {name: other, token_env: NONE, enabled: false}\n",
		filepath.Join(dir, "store"), sim.URL, filepath.Join(dir, "token")))

	checked, _ := runs(t, exitFine, "-c", config, "sources", "check", "acme")
	if strings.Contains(checked, "FAILED") || !strings.Contains(checked, "auditevents") {
		t.Errorf("unexpected check:\n%s", checked)
	}
	if failed, _ := runs(t, exitProblems, "-c", config, "sources", "check"); !strings.Contains(failed, "FAILED") || !strings.Contains(failed, "NONE") {
		t.Errorf("a source without a token passes the check:\n%s", failed)
	}
	if list, _ := runs(t, exitFine, "-c", config, "sources", "list"); !strings.Contains(list, "other") || !strings.Contains(list, "off") {
		t.Errorf("unexpected list:\n%s", list)
	}

	first := run(t, config, "acme fine", "history  acme:", "Item export after repeated", "A vault was exported", "other")
	alerts := elsewhere(t, "-c", config, "--json", "alerts", "list", "--limit", "0")
	if !strings.Contains(alerts, `"rule":"export-after-failed-signins"`) || !strings.Contains(alerts, `"rule":"vault-exported"`) {
		t.Errorf("want the stories' alerts, got\n%s", alerts)
	}
	second := run(t, config, "acme fine", "from before: ")
	if strings.Contains(second, "history  ") || strings.Contains(second, "evidence") {
		t.Errorf("the second start tells old alerts again:\n%s", second)
	}
	if again := elsewhere(t, "-c", config, "--json", "alerts", "list", "--limit", "0"); again != alerts {
		t.Errorf("the second start changed the alerts:\n%s\n%s", alerts, again)
	}
	status := elsewhere(t, "-c", config, "sources", "status")
	for _, text := range []string{first, second, checked, status, alerts} {
		if strings.Contains(text, token) || strings.Contains(text, strings.Split(token, ".")[2]) {
			t.Errorf("the token was printed:\n%s", text)
		}
	}
}

// run starts the program, waits until it has printed each of the texts, tells
// it to stop as a service manager does, and returns all it printed.
func run(t *testing.T, config string, texts ...string) string {
	t.Helper()
	cmd := process(t, "-c", config, "--log-level", "debug", "run")
	out := &output{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		eventually(t, time.Minute, "printing "+text, func() bool { return strings.Contains(out.String(), text) })
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("after SIGTERM: %v\n%s", err, out)
	}
	if !strings.HasSuffix(out.String(), "stopped\n") {
		t.Errorf("the program does not say that it stopped:\n%s", out)
	}
	return out.String()
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestSimulateServes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := process(t, "simulate", "--listen", "127.0.0.1:0", "--people", "20", "--days", "2", "--tokens", dir, "--no-live", "--quirk", "no-v2")
	out := &output{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, 30*time.Second, "saying where the token is", func() bool { return strings.Contains(out.String(), "token in ") })
	file := filepath.Join(dir, "acme.token")
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the token's file must be its owner's only: %v, %v", info, err)
	}
	base := strings.Fields(out.String())[1]
	config := filepath.Join(dir, "watchword.yaml")
	write(t, config, fmt.Sprintf("sources: [{name: acme, url: %q, token_file: %s}]", base, file))
	if checked, _ := runs(t, exitFine, "-c", config, "sources", "check"); !strings.Contains(checked, "v1") {
		t.Errorf("with the quirk no-v2 only v1 can be read:\n%s", checked)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after an interrupt: %v\n%s", err, out)
	}
	if token, err := os.ReadFile(file); err != nil || strings.Contains(out.String(), strings.TrimSpace(string(token))) {
		t.Errorf("the token was printed, or cannot be read: %v\n%s", err, out)
	}
}
