package bus_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"watchword/bus"
)

// The test binary runs again as another process when childEnv says what to do.
const (
	childEnv = "BUS_TEST_CHILD" // hold, read or write
	storeEnv = "BUS_TEST_STORE"
)

func TestMain(m *testing.M) {
	do := os.Getenv(childEnv)
	if do == "" {
		os.Exit(m.Run())
	}
	if err := child(do, os.Getenv(storeEnv)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child is the other process: it opens the store, says so, and keeps it until
// its input ends, or writes batches until it is killed.
func child(do, dir string) error {
	ctx := context.Background()
	b, err := bus.Open(ctx, bus.Config{Store: dir, ReadOnly: do == "read", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer b.Close()
	fmt.Println("open")
	if do != "write" {
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	}
	fence, k, err := lastBatch(ctx, b)
	for ; err == nil; fmt.Println(k) {
		k++
		fence.Last, err = b.Commit(ctx, bus.Events, fence, numberedBatch(k))
	}
	return err
}

const (
	batchMarker = "progress.child.batches"
	batchSize   = 40
)

// numberedBatch is batch k: messages that name it, and a marker that does.
func numberedBatch(k int) []bus.Message {
	var out []bus.Message
	for i := range batchSize {
		out = append(out, bus.Message{Subject: fmt.Sprintf("events.test.batch.child.%d", i), Data: fmt.Append(nil, k)})
	}
	return append(out, bus.Message{Subject: batchMarker, Data: fmt.Append(nil, k), Rollup: true, Keep: true})
}

// lastBatch is the newest batch stored, and the fence for the next.
func lastBatch(ctx context.Context, b *bus.Bus) (bus.Fence, int, error) {
	f := bus.Fence{Subject: batchMarker}
	all, err := b.LastPerSubject(ctx, bus.Events, batchMarker)
	if err != nil || len(all) == 0 {
		return f, 0, err
	}
	f.Last = all[0].Seq
	k, err := strconv.Atoi(string(all[0].Data))
	return f, k, err
}

// A process is a child under way.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *bufio.Scanner
	err   strings.Builder
}

// start runs a child and waits until it has opened the store.
func start(t *testing.T, do, dir string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(os.Args[0], "-test.run=^$")}
	p.cmd.Env = append(os.Environ(), childEnv+"="+do, storeEnv+"="+dir)
	p.cmd.Stderr = &p.err
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewScanner(out)
	t.Cleanup(p.kill)
	if line := p.line(); line != "open" {
		t.Fatalf("the child says %q, want open", line)
	}
	return p
}

// line is the next line the child prints.
func (p *process) line() string {
	p.t.Helper()
	if !p.out.Scan() {
		p.t.Fatalf("the child ended: %v %s", p.cmd.Wait(), p.err.String())
	}
	return p.out.Text()
}

// kill ends the child without any notice and waits until it is gone.
func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// finish lets the child close its store and waits until it has.
func (p *process) finish() {
	p.t.Helper()
	p.stdin.Close()
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("the child: %v %s", err, p.err.String())
	}
}
