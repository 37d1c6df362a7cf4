package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"watchword/bus"
	"watchword/detectors"
)

// backtestInput is where the events of a backtest come from.
type backtestInput struct {
	names []string // of the files, or of the store
	read  func(yield func([]detectors.Record) error) error
	close func()

	total   uint64        // bytes of the files, or messages of the store; 0: not known
	done    atomic.Uint64 // of total
	bytes   atomic.Uint64
	records atomic.Uint64
}

// open opens the files, or else the store, of which what happened before from
// need not be read.
func (c *rulesBacktestCmd) open(p *program, from time.Time) (*backtestInput, error) {
	if len(c.Files) > 0 {
		return openFiles(p.ctx, c.Files, p.in)
	}
	return c.openStore(p, from)
}

func openFiles(ctx context.Context, names []string, stdin io.Reader) (*backtestInput, error) {
	in := &backtestInput{}
	var files []io.Reader
	var closers []io.Closer
	in.close = func() {
		for _, c := range closers {
			_ = c.Close() // nothing was written
		}
	}
	sized := true
	for _, name := range names {
		if name == "-" {
			files, in.names, sized = append(files, stdin), append(in.names, "stdin"), false
			continue
		}
		f, err := os.Open(name)
		if err != nil {
			in.close()
			return nil, wrongUse{fmt.Errorf("--file: %w", err)}
		}
		files, in.names, closers = append(files, f), append(in.names, name), append(closers, f)
		info, err := f.Stat()
		if err == nil && info.IsDir() {
			in.close()
			return nil, wrongUse{fmt.Errorf("--file: %s is a directory", name)}
		}
		if sized = sized && err == nil && info.Mode().IsRegular(); sized {
			in.total += uint64(info.Size())
		}
	}
	if !sized {
		in.total = 0
	}
	in.read = func(yield func([]detectors.Record) error) error {
		for i, f := range files {
			l := lineReader{file: i, input: in, yield: yield}
			if err := l.read(ctx, f); err != nil {
				return fmt.Errorf("%s: %w", in.names[i], err)
			}
		}
		return nil
	}
	return in, nil
}

// How files are read: so much at a time, and lines of at most this length.
const (
	readChunk = 256 << 10
	longLine  = 16 << 20
)

// errLongLine says why a line is not read.
var errLongLine = fmt.Errorf("the line is longer than %d MiB", longLine>>20)

// lineReader cuts one file into its lines. Empty ones are passed over.
type lineReader struct {
	file  int
	input *backtestInput
	yield func([]detectors.Record) error

	number uint64 // of the newest line
}

func (l *lineReader) read(ctx context.Context, r io.Reader) error {
	buf, held := make([]byte, readChunk), 0
	skipping := false // the rest of a line that is too long
	for first := true; ctx.Err() == nil; first = false {
		n, err := io.ReadFull(r, buf[held:])
		l.input.done.Add(uint64(n))
		l.input.bytes.Add(uint64(n))
		end := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !end {
			return err
		}
		data := buf[:held+n]
		if first {
			data = bytes.TrimPrefix(data, []byte("\ufeff"))
		}
		if skipping {
			i := bytes.IndexByte(data, '\n')
			if skipping = i < 0; skipping {
				data = nil
			} else {
				data = data[i+1:]
			}
		}
		cut := bytes.LastIndexByte(data, '\n') + 1
		if end {
			cut = len(data)
		}
		if err := l.lines(data[:cut]); err != nil || end {
			return err
		}
		rest := data[cut:]
		size := readChunk
		if 2*len(rest) > size {
			size = 2 * len(rest)
		}
		if len(rest) > longLine {
			l.number++
			if err := l.tell([]detectors.Record{{File: l.file, Number: l.number, Err: errLongLine}}); err != nil {
				return err
			}
			rest, size, skipping = nil, readChunk, true
		}
		buf = make([]byte, size) // the records keep the old one
		held = copy(buf, rest)
	}
	return ctx.Err()
}

// lines hands out whole lines.
func (l *lineReader) lines(data []byte) error {
	var records []detectors.Record
	for len(data) > 0 {
		line := data
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			line, data = data[:i], data[i+1:]
		} else {
			data = nil
		}
		l.number++
		record := detectors.Record{File: l.file, Number: l.number, Data: bytes.TrimSpace(line)}
		if len(record.Data) == 0 {
			continue
		}
		if len(line) > longLine {
			record.Data, record.Err = nil, errLongLine
		}
		records = append(records, record)
	}
	return l.tell(records)
}

func (l *lineReader) tell(records []detectors.Record) error {
	if len(records) == 0 {
		return nil
	}
	l.input.records.Add(uint64(len(records)))
	return l.yield(records)
}

func (c *rulesBacktestCmd) openStore(p *program, from time.Time) (*backtestInput, error) {
	b, _, err := p.openToRead()
	if err != nil {
		return nil, err
	}
	in := &backtestInput{names: []string{bus.Events}, close: func() { _ = b.Close() }}
	options := bus.ReadOptions{Filters: []string{bus.EventFilter("", "", c.Source, "")}}
	if !from.IsZero() {
		// What happened since then was stored since then; the hour is for clocks
		// that disagree.
		options.StartTime = from.Add(-time.Hour)
	}
	info, err := b.Info(p.ctx, bus.Events)
	if err != nil {
		in.close()
		return nil, err
	}
	in.total = info.LastSeq
	in.read = func(yield func([]detectors.Record) error) error {
		var batch []detectors.Record
		err := readStored(p.ctx, b, bus.Events, options, func(m bus.Stored) (bool, error) {
			in.done.Store(m.Seq)
			in.bytes.Add(uint64(len(m.Data)))
			in.records.Add(1)
			if batch = append(batch, detectors.Record{Number: m.Seq, Data: m.Data}); len(batch) < readBatch {
				return true, nil
			}
			err := yield(batch)
			batch = nil
			return true, err
		})
		if err == nil && len(batch) > 0 {
			err = yield(batch)
		}
		return err
	}
	return in, nil
}
