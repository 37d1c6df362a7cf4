package onepassword

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"watchword/bus/event"
)

// Token is a bearer token of the Events API. Whatever formats, logs or
// marshals it gets "[token 1a2b3c4d]", the digits being its fingerprint.
// The zero Token is no token.
type Token struct {
	// reveal, and not a string: a struct that holds a Token in an unexported
	// field is printed by fmt without asking the Token's methods, and a
	// function prints as an address only.
	reveal      func() string
	fingerprint string
	claims      Claims
}

// Claims is what a token says of itself. Nobody has verified it: 1Password
// does, with every request. What it is good for is to choose the host and to
// warn early.
type Claims struct {
	Host     string    // where to send it; empty for a legacy or opaque token
	Legacy   bool      // made before July 2021: names no host
	Opaque   bool      // not a JWT: says nothing at all
	Account  string    // account uuid; empty where the token does not say it
	Features []string  // the feeds it may read; nil where it does not say it
	Issued   time.Time // zero where it does not say it
	Expires  time.Time // zero: never, or it does not say it
}

// maxTokenBytes is far above the some 600 bytes of a real token.
const maxTokenBytes = 16 << 10

// legacyAudience marks the tokens that carry no host, by the official clients' source.
const legacyAudience = "com.1password.streamingservice"

// ParseToken reads a token without verifying it. It refuses what cannot be
// sent as a header. Text that is not a JWT becomes an opaque token, which
// BaseURL accepts together with a configured URL only.
func ParseToken(text string) (Token, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return Token{}, errors.New("the token is empty")
	case len(text) > maxTokenBytes:
		return Token{}, fmt.Errorf("the token is %d bytes long, a real one has less than 1,000: is this the right file?", len(text))
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return Token{}, errors.New("the token has spaces, line breaks or other characters inside that no token has: keep the token alone, on one line")
	}
	sum := sha256.Sum256([]byte(text))
	t := Token{reveal: func() string { return text }, fingerprint: hex.EncodeToString(sum[:4])}
	t.claims = readClaims(text)
	return t, nil
}

// tokenClaims are the claims as the official clients read them (aud, the
// features) and as 1Password's family of service tokens has them (the rest).
type tokenClaims struct {
	jwt.RegisteredClaims
	Features []string `json:"1password.com/fts"`
	Account  string   `json:"1password.com/auuid"`
}

func readClaims(text string) Claims {
	var tc tokenClaims
	if _, _, err := jwt.NewParser().ParseUnverified(text, &tc); err != nil {
		// The parser's error is dropped, not wrapped: it could quote the token.
		return Claims{Opaque: true}
	}
	c := Claims{Account: tc.Account, Features: tc.Features}
	if len(tc.Audience) > 0 {
		c.Host = tc.Audience[0]
	}
	if c.Host == legacyAudience {
		c.Host, c.Legacy = "", true
	}
	if tc.IssuedAt != nil {
		c.Issued = tc.IssuedAt.UTC()
	}
	if tc.ExpiresAt != nil {
		c.Expires = tc.ExpiresAt.UTC()
	}
	return c
}

// Claims is what the token says of itself, unverified.
func (t Token) Claims() Claims { return t.claims }

// IsZero reports whether there is no token.
func (t Token) IsZero() bool { return t.reveal == nil }

// Fingerprint is eight hex digits of the token's SHA-256: enough to see that
// it changed, useless to whoever wants to use it.
func (t Token) Fingerprint() string { return t.fingerprint }

// Covers reports whether the token may read the feed, as far as it says.
func (t Token) Covers(feed event.Feed) bool {
	return t.claims.Features == nil || slices.Contains(t.claims.Features, string(feed))
}

// String is what is shown instead of the token.
func (t Token) String() string {
	if t.IsZero() {
		return "[no token]"
	}
	return "[token " + t.fingerprint + "]"
}

// GoString is String, for %#v.
func (t Token) GoString() string { return t.String() }

// Format writes String for every verb.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.String()) }

// MarshalText is String, for JSON, YAML and map keys.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// LogValue is String, for slog.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// header is the value of the Authorization header: the one place where the
// token leaves this type.
func (t Token) header() string { return "Bearer " + t.reveal() }
