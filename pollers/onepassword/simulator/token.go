package simulator

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"watchword/bus/event"
)

// DefaultHost is the host that tokens name unless told otherwise.
const DefaultHost = "events.1password.com"

// TokenRequest says what a token shall be good for.
type TokenRequest struct {
	Account  string        // account uuid
	Features []event.Feed  // feeds it may read; none: all three
	Expires  time.Duration // from now on the simulated clock; zero: never
}

// claims are those of an Events API token: official clients read aud and fts,
// the rest is what 1Password's other service tokens carry.
type claims struct {
	jwt.RegisteredClaims
	Account  string   `json:"1password.com/auuid"`
	Features []string `json:"1password.com/fts"`
}

func (c *claims) allows(feed string) bool { return slices.Contains(c.Features, feed) }

// mint makes and checks tokens. A token of an earlier run with the same seed is
// good again: the key follows from the seed.
type mint struct {
	key   *ecdsa.PrivateKey
	host  string
	seed  uint64
	clock Clock

	mu      sync.Mutex
	made    uint64
	revoked map[string]bool    // by jti
	known   map[string]*claims // verified tokens, at most maxKnown
}

// maxKnown bounds the memory of verified tokens; verifying takes a while.
const maxKnown = 1000

func newMint(seed uint64, host string, clock Clock) *mint {
	var secret [32]byte
	for i := range 4 {
		binary.BigEndian.PutUint64(secret[8*i:], mix(seed, saltKey, uint64(i)))
	}
	secret[0] &= 0x7f // surely below the order of the curve
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), secret[:])
	if err != nil {
		panic("simulator: token key: " + err.Error())
	}
	return &mint{key: key, host: host, seed: seed, clock: clock, revoked: map[string]bool{}, known: map[string]*claims{}}
}

func (m *mint) token(request TokenRequest) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.made++
	now := m.clock.Now()
	c := claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:   "com.1password.b5",
			Subject:  integration(request.Account),
			Audience: jwt.ClaimStrings{m.host},
			IssuedAt: jwt.NewNumericDate(now),
			ID:       lowerUUID(m.seed, saltKey, m.made, uint64(now.UnixNano())),
		},
		Account: request.Account,
	}
	if request.Expires != 0 {
		c.ExpiresAt = jwt.NewNumericDate(now.Add(request.Expires))
	}
	features := request.Features
	if len(features) == 0 {
		features = event.Feeds
	}
	for _, f := range features {
		c.Features = append(c.Features, string(f))
	}
	text, err := jwt.NewWithClaims(jwt.SigningMethodES256, c).SignedString(m.key)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return text, nil
}

// integration is the uuid of the account's Events integration.
func integration(account string) string {
	seed := uint64(saltKey)
	for _, c := range []byte(account) {
		seed = mix(seed, uint64(c))
	}
	return upperUUID(seed)
}

// check reads the Authorization header and says who asks. The error never
// holds the token.
func (m *mint) check(header string) (*claims, error) {
	text, ok := strings.CutPrefix(header, "Bearer ")
	if !ok {
		return nil, errors.New("no bearer token")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.known[text]
	if c == nil {
		c = &claims{}
		_, err := jwt.ParseWithClaims(text, c, func(*jwt.Token) (any, error) { return &m.key.PublicKey, nil },
			jwt.WithValidMethods([]string{"ES256"}), jwt.WithoutClaimsValidation())
		if err != nil {
			return nil, errors.New("invalid token")
		}
		if len(m.known) >= maxKnown {
			clear(m.known)
		}
		m.known[text] = c
	}
	switch {
	case m.revoked[c.ID]:
		return nil, errors.New("token revoked")
	case c.ExpiresAt != nil && !m.clock.Now().Before(c.ExpiresAt.Time):
		return nil, errors.New("token expired")
	}
	return c, nil
}

func (m *mint) revoke(token string) error {
	c, err := m.check("Bearer " + token)
	if err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.revoked[c.ID] = true
	return nil
}
