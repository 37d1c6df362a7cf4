package onepassword

import (
	"regexp"
	"strings"
	"unicode"
)

// jwtLike finds what looks like a JWT or the beginning of one: an answer may
// quote a token cut short, or another than the one that was sent.
var jwtLike = regexp.MustCompile(`eyJ[A-Za-z0-9_\-]{8,}(\.[A-Za-z0-9_\-]*){0,2}`)

// redact takes everything that looks like a token, and the token and its parts,
// out of text that came from outside.
func (t Token) redact(s string) string {
	// First, while a token cut short still has its beginning.
	s = jwtLike.ReplaceAllString(s, "[token]")
	if t.IsZero() {
		return s
	}
	text := t.reveal()
	s = strings.ReplaceAll(s, text, "[token]")
	for part := range strings.SplitSeq(text, ".") {
		if len(part) >= 8 {
			s = strings.ReplaceAll(s, part, "[token]")
		}
	}
	return s
}

// maxMessage bounds what of an answer's message is shown.
const maxMessage = 200

// tidy makes text from outside fit for one line of a log or a page: no control
// characters, single spaces, at most maxMessage characters.
func tidy(s string) string {
	s = strings.ToValidUTF8(s, "?")
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || !unicode.IsPrint(r)
	}), " ")
	if r := []rune(s); len(r) > maxMessage {
		return string(r[:maxMessage-1]) + "…"
	}
	return s
}
