package simulator

import "math/rand/v2"

// Everything in a world is a pure function of its seed: each person, day and
// story has a generator of its own, made from the numbers that name it. So one
// part can change without moving every other.

// salts keep the uses of one number apart (the 7th person, the 7th vault, …).
const (
	saltAccount uint64 = iota + 1
	saltPerson
	saltDevice
	saltVault
	saltItem
	saltGroup
	saltDay
	saltRecord
	saltSession
	saltObject
	saltStory
	saltPlacement
	saltAddress
	saltKey
	saltFaults
	saltLate
	saltThin
)

// mix folds numbers into one by the splitmix64 finaliser.
func mix(parts ...uint64) uint64 {
	h := uint64(0x9e3779b97f4a7c15)
	for _, p := range parts {
		h = (h ^ p) + 0x9e3779b97f4a7c15
		h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9
		h = (h ^ (h >> 27)) * 0x94d049bb133111eb
		h ^= h >> 31
	}
	return h
}

// newRand is the generator named by the numbers.
func newRand(parts ...uint64) *rand.Rand {
	seed := mix(parts...)
	return rand.New(rand.NewPCG(seed, mix(seed)))
}

// pick returns one of the values.
func pick[T any](r *rand.Rand, values []T) T { return values[r.IntN(len(values))] }

// chance is true with probability p.
func chance(r *rand.Rand, p float64) bool { return r.Float64() < p }

// between returns a number from low to high, both included.
func between(r *rand.Rand, low, high int) int { return low + r.IntN(high-low+1) }

const (
	upperAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	lowerAlphabet = "abcdefghijklmnopqrstuvwxyz234567"
	uuidLength    = 26
)

// appendUUID appends the 26 base32-like characters that 1Password uses for
// identifiers. Events, users, sessions and accounts are written in upper case,
// vaults, items, groups and devices in lower case.
func appendUUID(dst []byte, seed uint64, alphabet string) []byte {
	var bits uint64
	for i := range uuidLength {
		if i%12 == 0 { // 12 characters use 60 of 64 bits
			seed = mix(seed, uint64(i))
			bits = seed
		}
		dst = append(dst, alphabet[bits&31])
		bits >>= 5
	}
	return dst
}

func upperUUID(parts ...uint64) string { return string(appendUUID(nil, mix(parts...), upperAlphabet)) }

func lowerUUID(parts ...uint64) string { return string(appendUUID(nil, mix(parts...), lowerAlphabet)) }
