package rules

import (
	"bytes"
	"errors"
	"io/fs"
	"path"
	"strings"
	"unicode/utf8"
)

// lists are what is below lists/, by the names of the files without extension.
// A .csv is a list of its keys as well as a table.
type lists struct {
	sets   map[string]*stringSet
	tables map[string]*table
}

func newLists() *lists {
	return &lists{sets: map[string]*stringSet{}, tables: map[string]*table{}}
}

// maxListSize bounds one list file, in bytes.
const maxListSize = 64 << 20

// loadLists reads lists/*.txt and lists/*.csv below the folders. Files of one
// name in several folders are one list, whose entries are those of all of them,
// and one table, in which a later folder's row takes the place of an earlier
// one's with its key.
func loadLists(folders []Folder) (*lists, Problems) {
	out := newLists()
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
				out.spoil(file)
				continue
			}
			problems = append(problems, out.read(folder.file(file), data)...)
		}
	}
	return out, problems
}

// of gives the list and the table that a file adds to; a .txt is no table.
func (l *lists) of(file string) (*stringSet, *table) {
	ext := path.Ext(file)
	name := strings.TrimSuffix(path.Base(file), ext)
	if l.sets[name] == nil {
		l.sets[name] = newStringSet()
	}
	if ext == ".csv" && l.tables[name] == nil {
		l.tables[name] = &table{name: name}
	}
	return l.sets[name], l.tables[name]
}

// table is the table with the name, nil where there is none: a .csv without a
// first line has no columns.
func (l *lists) table(name string) *table {
	if t := l.tables[name]; t != nil && (t.columns != nil || t.spoilt) {
		return t
	}
	return nil
}

// spoil marks what a file with a mistake adds to, so that rules are not told
// of missing entries and columns as well.
func (l *lists) spoil(file string) {
	set, table := l.of(file)
	set.spoilt = true
	if table != nil {
		table.spoilt = true
	}
}

// read adds what is in one file.
func (l *lists) read(file string, data []byte) Problems {
	set, table := l.of(file)
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		l.spoil(file)
		return Problems{atStart(file, "the list is not UTF-8 text")}
	}
	t := newText(file, string(data))
	if path.Ext(file) == ".csv" {
		s := readSheet(t, data)
		for i, row := range s.rows {
			if err := set.add(row[0]); err != nil {
				t.errorAt(s.lines[i], 1, "", "%v", err)
			}
		}
		table.join(file, s)
	} else {
		readLines(t, set)
	}
	if t.hasErrors() {
		l.spoil(file)
	}
	return t.problems
}

// readLines adds each line of a .txt file to the set. What follows a # at the
// start of a line or after a space is a comment.
func readLines(t *text, set *stringSet) {
	for i, line := range t.lines {
		entry, _, _ := strings.Cut(strings.ReplaceAll(" "+line, "\t", " "), " #")
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		if err := set.add(entry); err != nil {
			t.errorAt(i+1, 1+len(line)-len(strings.TrimLeft(line, " \t")), "", "%v", err)
		}
	}
}
