package rules

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
)

// table is an immutable table of texts by key, for lookup("name", key).column.
type table struct {
	name    string
	columns []string       // their names; the first is the key's
	numbers map[string]int // number of the row, by key
	cells   []string       // row after row

	file     string // the first it was read from
	unusable string // what is wrong with it for look-ups; as a list it is in use
	spoilt   bool   // by a mistake in a file, which is told: any column may be meant
}

// Bounds of a table, over all its files.
const (
	maxColumns = 64
	maxCells   = 4 << 20
)

// cell is the text in a column, empty where the key is not there.
func (t *table) cell(key string, column int) string {
	number, ok := t.numbers[tableKey(key)]
	if !ok {
		return ""
	}
	return t.cells[number*len(t.columns)+column]
}

// tableKey is the form in which keys are compared: ids as they are, e-mail
// addresses without case.
func tableKey(key string) string {
	if strings.Contains(key, "@") {
		return strings.ToLower(key)
	}
	return key
}

// join puts the rows of a file into the table; they take the place of those
// with the same key from files before. What is wrong is kept, for it matters
// only to a rule that looks something up: a list may hold a key twice.
func (t *table) join(file string, s sheet) {
	if t.unusable != "" || s.columns == nil {
		return
	}
	if t.columns == nil {
		t.columns, t.file, t.numbers = s.columns, file, map[string]int{}
		t.unusable = badColumns(file, s.columns)
	} else if !slices.Equal(t.columns, s.columns) {
		t.unusable = fmt.Sprintf("its files have different first lines: %s in %s, %s in %s",
			strings.Join(t.columns, ","), t.file, strings.Join(s.columns, ","), file)
	}
	seen := make(map[string]bool, len(s.rows))
	for i, row := range s.rows {
		if t.unusable != "" {
			break
		}
		if key := tableKey(row[0]); seen[key] {
			t.unusable = fmt.Sprintf("%s:%d: the key %q is there twice", file, s.lines[i], row[0])
		} else if seen[key] = true; !t.put(key, row) {
			t.unusable = fmt.Sprintf("%s:%d: a table has at most %d cells", file, s.lines[i], maxCells)
		}
	}
	if t.unusable != "" {
		t.numbers, t.cells = nil, nil
	}
}

// put adds a row or replaces the one with its key; it says no when the table
// is full.
func (t *table) put(key string, row []string) bool {
	if number, known := t.numbers[key]; known {
		copy(t.cells[number*len(row):], row)
		return true
	}
	if len(t.cells)+len(row) > maxCells {
		return false
	}
	t.numbers[key] = len(t.numbers)
	t.cells = append(t.cells, row...)
	return true
}

// empty tells whether there is no row.
func (t *table) empty() bool { return len(t.numbers) == 0 && !t.spoilt }

// badColumns says what is wrong with the first line of a table.
func badColumns(file string, columns []string) string {
	if len(columns) > maxColumns {
		return fmt.Sprintf("%s: a table has at most %d columns", file, maxColumns)
	}
	for i, c := range columns {
		switch {
		case c == "":
			return fmt.Sprintf("%s: column %d has no name", file, i+1)
		case slices.Contains(columns[:i], c):
			return fmt.Sprintf("%s: two columns are named %q", file, c)
		}
	}
	return ""
}

// digest is the same for the same columns and rows, in whatever order and files.
func (t *table) digest() string {
	h := sha256.New()
	part := func(s string) { fmt.Fprintf(h, "%d:%s", len(s), s) }
	for _, c := range t.columns {
		part(c)
	}
	keys := make([]string, 0, len(t.numbers))
	for k := range t.numbers {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		from := t.numbers[k] * len(t.columns)
		for _, cell := range t.cells[from : from+len(t.columns)] {
			part(cell)
		}
	}
	return string(h.Sum(nil))
}
