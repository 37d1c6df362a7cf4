package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// plain makes a string from outside safe to print on one line of a terminal.
// Names, addresses of mail and user agents are chosen by whoever signs in, so
// an escape sequence among them could move the cursor, rewrite lines above or
// set the window's title. What is not printable becomes a visible escape:
// control characters, line breaks, bytes that are not UTF-8, and the format
// characters that reverse or hide text.
func plain(s string) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	for i, width := 0, 0; i < len(s); i += width {
		var r rune
		r, width = utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && width == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String()
}

func isPlain(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// plainLines is plain for text that may have several lines, such as a runbook:
// at most max lines, without blank ones at the ends. more says how many were left out.
func plainLines(s string, max int) (lines []string, more int) {
	for _, line := range strings.Split(strings.TrimSpace(s), "\n") {
		if len(lines) == max {
			more++
			continue
		}
		lines = append(lines, plain(strings.TrimRight(line, " \t\r")))
	}
	return lines, more
}
