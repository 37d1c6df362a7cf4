package onepassword

import (
	"regexp"
	"strings"
	"unicode"
)

// jwtLike finds what looks like a JWT or the beginning of one: an answer may
// quote a token cut short, or another than the one that was sent.
var jwtLike = regexp.MustCompile(`eyJ[A-Za-z0-9_\-]{8,}(\.[A-Za-z0-9_\-]*){0,2}`)

// redact takes the token, its parts, and everything that looks like a token
// out of text that came from outside.
func (t Token) redact(s string) string {
	if !t.IsZero() {
		text := t.reveal()
		s = strings.ReplaceAll(s, text, "[token]")
		for part := range strings.SplitSeq(text, ".") {
			if len(part) >= 8 {
				s = strings.ReplaceAll(s, part, "[token]")
			}
		}
	}
	return jwtLike.ReplaceAllString(s, "[token]")
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
