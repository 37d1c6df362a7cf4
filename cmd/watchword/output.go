package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"watchword/bus/alert"
)

// colourWanted: only on a terminal, and not when NO_COLOR is set to anything
// (https://no-color.org) or the terminal says it is dumb.
func colourWanted(f *os.File, environ []string) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 || slices.Contains(environ, "TERM=dumb") {
		return false
	}
	return !slices.ContainsFunc(environ, func(v string) bool {
		value, ok := strings.CutPrefix(v, "NO_COLOR=")
		return ok && value != ""
	})
}

// paint colours text, or leaves it when there are no colours.
type paint bool

func (on paint) in(code, s string) string {
	if !on {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (on paint) bold(s string) string { return on.in("1", s) }
func (on paint) dim(s string) string  { return on.in("2", s) }

// severity writes a severity in capitals, the worse the louder.
func (on paint) severity(s alert.Severity) string {
	code := map[alert.Severity]string{
		alert.Critical: "1;97;41", alert.High: "1;31", alert.Medium: "1;33", alert.Low: "36", alert.Info: "2",
	}[s]
	text := strings.ToUpper(plain(string(s)))
	if code == "" {
		return text
	}
	return on.in(code, text)
}

// printJSON prints each value as a line of JSON.
func printJSON[T any](w io.Writer, values ...T) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, v := range values {
		if err := enc.Encode(v); err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
	return nil
}

// logger writes to standard error, by the configuration's level and format.
func (c *Config) logger(w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: c.level()}
	if c.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// clock writes a time for people: in the zone of now, with the date when it is
// not today.
func clock(t, now time.Time) string {
	t = t.In(now.Location())
	switch {
	case t.IsZero():
		return "never"
	case t.Year() == now.Year() && t.YearDay() == now.YearDay():
		return t.Format("15:04:05")
	}
	return t.Format("2006-01-02 15:04:05")
}

// columns prints rows in columns as wide as they need, two blanks apart. Cells
// are made plain here.
func columns(w io.Writer, rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i := range row {
			row[i] = plain(row[i])
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len([]rune(row[i])))
		}
	}
	for _, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			b.WriteString(cell)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-len([]rune(cell))+2))
			}
		}
		fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
	}
}

// plainText is plain for text of several lines, all of them.
func plainText(s string) string {
	lines, _ := plainLines(s, math.MaxInt)
	return strings.Join(lines, "\n")
}
