package main

import (
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestPlain(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"ordinary", "Ines Okafor", "Ines Okafor"},
		{"other scripts", "Ægir 花子", "Ægir 花子"},
		{"clear the screen", "\x1b[2Jgone", `\x1b[2Jgone`},
		{"window title", "\x1b]0;owned\x07", `\x1b]0;owned\x07`},
		{"single-byte CSI", "\u009b31mred", `\u009b31mred`},
		{"line break", "a\nb\r\n", `a\x0ab\x0d\x0a`},
		{"backspace", "safe\b\b\b\bevil", `safe\x08\x08\x08\x08evil`},
		{"right-to-left override", "gpj\u202eexe", `gpj\u202eexe`},
		{"zero width", "ad\u200bmin", `ad\u200bmin`},
		{"not UTF-8", "a\xff\xfeb", `a\xff\xfeb`},
		{"beyond the first plane", "\U000e0041", `\U000e0041`},
		{"empty", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := plain(c.in); got != c.want {
				t.Errorf("plain(%q)\nwant %s\ngot  %s", c.in, c.want, got)
			}
		})
	}
}

func TestPlainIsAlwaysPrintable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		out := plain(in)
		if !utf8.ValidString(out) {
			t.Fatalf("plain(%q) is not UTF-8", in)
		}
		for _, r := range out {
			if !unicode.IsPrint(r) {
				t.Fatalf("plain(%q) has %U", in, r)
			}
		}
	})
}
