package rules

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// stringSet is an immutable set of the entries of a list: texts, e-mail
// addresses whose case does not matter, and addresses or ranges of them.
type stringSet struct {
	texts  map[string]struct{} // entries with @ are in lower case
	ranges map[netip.Prefix]struct{}
	bits   []int // the lengths of the prefixes, so that a look-up tries each once
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

// maxListSize bounds one list file, in bytes.
const maxListSize = 64 << 20

// loadLists reads lists/*.txt and lists/*.csv below the folders. Files of one
// name in several folders are one list: its entries are those of all of them.
func loadLists(folders []Folder) (map[string]*stringSet, Problems) {
	lists := map[string]*stringSet{}
	var problems Problems
	for _, folder := range folders {
		found, err := fs.ReadDir(folder.FS, "lists")
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			problems = append(problems, unreadable(folder.file("lists"), err))
			continue
		}
		for _, f := range found {
			ext := path.Ext(f.Name())
			if f.IsDir() || (ext != ".txt" && ext != ".csv") || strings.HasPrefix(f.Name(), ".") {
				continue
			}
			file := path.Join("lists", f.Name())
			data, err := readFile(folder.FS, file, maxListSize)
			if err != nil {
				problems = append(problems, unreadable(folder.file(file), err))
				continue
			}
			name := strings.TrimSuffix(f.Name(), ext)
			if lists[name] == nil {
				lists[name] = newStringSet()
			}
			problems = append(problems, readList(lists[name], folder.file(file), ext, data)...)
		}
	}
	return lists, problems
}

// readList adds the entries of one file to the set: of a .txt each line, of a
// .csv the first column. What follows a # is a comment; in a .txt also after
// an entry and a space. A header of a .csv counts as an entry, which does no harm,
// while leaving out a first line that is none would.
func readList(set *stringSet, file, ext string, data []byte) Problems {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return Problems{{File: file, Line: 1, Column: 1, Severity: Error, Message: "the list is not UTF-8 text"}}
	}
	t := newText(file, string(data))
	add := func(entry string, line, column int) {
		if entry = strings.TrimSpace(entry); entry == "" {
			return
		}
		if err := set.add(entry); err != nil {
			t.errorAt(line, column, "", "%v", err)
		}
	}
	if ext == ".txt" {
		for i, line := range t.lines {
			entry, _, _ := strings.Cut(strings.ReplaceAll(" "+line, "\t", " "), " #")
			add(entry, i+1, 1+len(line)-len(strings.TrimLeft(line, " \t")))
		}
		return t.problems
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.Comment, r.FieldsPerRecord = '#', -1
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return t.problems
		}
		if err != nil {
			line, column := 1, 1
			var bad *csv.ParseError
			if errors.As(err, &bad) {
				line, column, err = bad.Line, bad.Column, bad.Err
			}
			t.errorAt(line, column, "", "not valid CSV: %v", err)
			return t.problems
		}
		line, column := r.FieldPos(0)
		add(record[0], line, column)
	}
}
