package rules

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// sheet is what one .csv file says.
type sheet struct {
	columns []string // the first line; the first column is the key
	rows    [][]string
	lines   []int // where in the file each row begins, from 1
}

// readSheet reads a .csv file: the first line that is no comment names the
// columns, and every row below it has as many cells and a key. Cells are
// trimmed, empty rows and lines that begin with # are passed over. It stops at
// the first mistake, which it reports. A sheet without a first line has no
// columns.
func readSheet(t *text, data []byte) (s sheet) {
	r := csv.NewReader(bytes.NewReader(data))
	r.Comment, r.FieldsPerRecord, r.TrimLeadingSpace = '#', -1, true
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return s
		}
		if err != nil {
			var bad *csv.ParseError
			line, column := 1, 1
			if errors.As(err, &bad) {
				line, column, err = bad.Line, bad.Column, bad.Err
				if bad.StartLine != bad.Line { // it is the quote at the start that is not closed
					line, column = bad.StartLine, 1
				}
			}
			t.errorAt(line, column, "", "not valid CSV: %v", err)
			return s
		}
		for i := range record {
			record[i] = strings.TrimSpace(record[i])
		}
		line, _ := r.FieldPos(0)
		switch {
		case s.columns == nil:
			if looksLikeEntry(record[0]) {
				t.errorAt(line, 1, "write a line above it, such as: uuid,name",
					"the first line of a .csv names its columns, and %q looks like an entry", record[0])
				return s
			}
			s.columns = record
			continue
		case !slices.ContainsFunc(record, func(cell string) bool { return cell != "" }):
			continue
		case len(record) != len(s.columns):
			t.errorAt(line, 1, "put a cell that holds a comma between double quotes",
				"the first line names %d columns, but the row has %d", len(s.columns), len(record))
			return s
		case record[0] == "":
			t.errorAt(line, 1, "", "the row has no key: its first cell is empty")
			return s
		}
		s.rows, s.lines = append(s.rows, record), append(s.lines, line)
	}
}

// entryID is the form of 1Password's ids and of RFC 4122's.
var entryID = regexp.MustCompile(`^(?:[A-Za-z0-9]{26}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$`)

// looksLikeEntry tells of a first line that names no column: an address, a
// range, an e-mail address or an id. Taken for a header it would be missing
// from the list without a word.
func looksLikeEntry(cell string) bool {
	before, _, _ := strings.Cut(cell, "/")
	_, err := netip.ParseAddr(before)
	return err == nil || strings.Contains(cell, "@") || entryID.MatchString(cell)
}
