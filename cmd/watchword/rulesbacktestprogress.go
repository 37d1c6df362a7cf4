package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// progressEvery is how often the bar is drawn.
const progressEvery = 200 * time.Millisecond

// progress is a bar on a terminal, and nothing anywhere else. Lines are printed
// above it.
type progress struct {
	w     io.Writer
	on    bool
	input *backtestInput
	begin time.Time

	mu    sync.Mutex // guards what follows, and w
	shown bool
	quit  chan struct{} // closed by stop
	gone  chan struct{} // closed when the drawing has ended
}

func newProgress(w io.Writer, input *backtestInput) *progress {
	return &progress{w: w, on: isTerminal(w), input: input}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (b *progress) start() {
	if !b.on {
		return
	}
	b.begin, b.quit, b.gone = time.Now(), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(b.gone)
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		for {
			select {
			case <-b.quit:
				return
			case <-tick.C:
				b.draw()
			}
		}
	}()
}

// stop ends the drawing and takes the bar away.
func (b *progress) stop() {
	if !b.on {
		return
	}
	close(b.quit)
	<-b.gone
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clear()
}

// line prints a line.
func (b *progress) line(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clear()
	fmt.Fprintln(b.w, text)
}

// clear takes the bar away; the lock is held.
func (b *progress) clear() {
	if b.shown {
		fmt.Fprint(b.w, "\r\x1b[K")
		b.shown = false
	}
}

func (b *progress) draw() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clear()
	fmt.Fprint(b.w, progressText(b.input, time.Since(b.begin)))
	b.shown = true
}

// progressText is the bar: how much of what is known to be there, how many
// events, and how fast.
func progressText(in *backtestInput, took time.Duration) string {
	records := in.records.Load()
	text := fmt.Sprintf("%s events, %s/s", number(records), number(uint64(float64(records)/max(took.Seconds(), 0.001))))
	if in.total == 0 {
		return text
	}
	const width = 30
	done := min(in.done.Load(), in.total)
	full := int(done * width / in.total)
	return fmt.Sprintf("%s%s %3d%%  %s", strings.Repeat("█", full), strings.Repeat("░", width-full), done*100/in.total, text)
}
