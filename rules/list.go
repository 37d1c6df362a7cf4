package rules

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// stringSet is an immutable set of the entries of a list: texts, e-mail
// addresses whose case does not matter, and addresses or ranges of them.
type stringSet struct {
	texts  map[string]struct{} // entries with @ are in lower case
	ranges map[netip.Prefix]struct{}
	bits   []int // the lengths of the prefixes, so that a look-up tries each once

	spoilt bool // by a mistake in a file, which is told: more may be meant to be in it
}

func newStringSet() *stringSet {
	return &stringSet{texts: map[string]struct{}{}, ranges: map[netip.Prefix]struct{}{}}
}

// has tells whether the value is an entry, or an address within one. An empty
// value is in no list.
func (s *stringSet) has(value string) bool {
	if _, ok := s.texts[value]; ok {
		return true
	}
	if strings.Contains(value, "@") {
		_, ok := s.texts[strings.ToLower(value)]
		return ok
	}
	if len(s.bits) == 0 {
		return false
	}
	addr, err := netip.ParseAddr(value)
	if err != nil {
		return false
	}
	addr = addr.Unmap().WithZone("")
	for _, n := range s.bits {
		if p, err := addr.Prefix(n); err == nil {
			if _, ok := s.ranges[p]; ok {
				return true
			}
		}
	}
	return false
}

// add puts an entry into the set. The error says that it looks like a range of
// addresses but is none.
func (s *stringSet) add(entry string) error {
	if r, err := parseRange(entry); err == nil {
		s.ranges[r] = struct{}{}
		if !slices.Contains(s.bits, r.Bits()) {
			s.bits = append(s.bits, r.Bits())
		}
		return nil
	} else if before, _, ok := strings.Cut(entry, "/"); ok {
		if _, addrErr := netip.ParseAddr(before); addrErr == nil {
			return err
		}
	}
	if strings.Contains(entry, "@") {
		entry = strings.ToLower(entry)
	}
	s.texts[entry] = struct{}{}
	return nil
}

// parseRange reads an address or a range such as 10.0.0.0/8. Bits of the host
// part are dropped, and IPv4 written as IPv6 is IPv4.
func parseRange(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		addr = addr.Unmap().WithZone("")
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is no range of addresses such as 10.0.0.0/8", s)
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}

// empty tells whether nothing is in the list.
func (s *stringSet) empty() bool { return len(s.texts) == 0 && len(s.ranges) == 0 && !s.spoilt }

// sortedTexts are the entries that are no ranges of addresses.
func (s *stringSet) sortedTexts() []string { return slices.Sorted(maps.Keys(s.texts)) }

// digest is the same for the same entries, in whatever order and files.
func (s *stringSet) digest() string {
	all := make([]string, 0, len(s.texts)+len(s.ranges))
	for e := range s.texts {
		all = append(all, e)
	}
	for r := range s.ranges {
		all = append(all, r.String())
	}
	slices.Sort(all)
	h := sha256.New()
	for _, e := range all {
		fmt.Fprintf(h, "%d:%s", len(e), e)
	}
	return string(h.Sum(nil))
}
