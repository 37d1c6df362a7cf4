package rules

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Gravity says whether a problem keeps a rule set from being used.
type Gravity string

// The gravities. A set with an Error is refused whole; a Warning is told, and
// the set is used.
const (
	Error   Gravity = "error"
	Warning Gravity = "warning"
)

// Problem is one mistake in one file.
type Problem struct {
	File     string  `json:"file"`   // as Folder.Name and the path below it
	Line     int     `json:"line"`   // from 1
	Column   int     `json:"column"` // from 1, in characters
	Severity Gravity `json:"severity"`
	Message  string  `json:"message"`
	Snippet  string  `json:"snippet,omitempty"` // the line, and below it a caret under the column
	Hint     string  `json:"hint,omitempty"`    // what would be right

	Check    string `json:"check"`              // name of the check that says so, see CheckNames
	Doc      string `json:"doc"`                // the page about it, below the project's root
	Silenced bool   `json:"silenced,omitempty"` // the rule's front matter says disable: [check]
}

// String is the problem as people read it, over several lines.
func (p Problem) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: %s: %s", p.File, p.Line, p.Column, p.Severity, p.Message)
	if p.Check != Invalid {
		fmt.Fprintf(&b, " (%s)", p.Check)
	}
	for line := range strings.Lines(p.Snippet) {
		b.WriteString("\n    " + strings.TrimRight(line, "\n"))
	}
	if p.Hint != "" {
		b.WriteString("\n    " + p.Hint)
	}
	return b.String()
}

// Problems are all the mistakes of all files, by file and position.
type Problems []Problem

// Error joins them, one after the other.
func (ps Problems) Error() string {
	all := make([]string, len(ps))
	for i, p := range ps {
		all[i] = p.String()
	}
	return strings.Join(all, "\n")
}

// HasErrors tells whether any of them is more than a warning.
func (ps Problems) HasErrors() bool {
	return slices.ContainsFunc(ps, func(p Problem) bool { return p.Severity == Error })
}

// inOrder sorts by file and position and drops what is said twice of one place.
func (ps Problems) inOrder() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return slices.Compact(ps)
}

// problemOf is what a check says of a file as a whole.
func problemOf(check string, g Gravity, file, message string) Problem {
	return Problem{File: file, Line: 1, Column: 1, Severity: g, Message: message, Check: check, Doc: "docs/lint/" + check + ".md"}
}

// text is a file with the problems found in it.
type text struct {
	file     string
	lines    []string
	problems Problems
}

func newText(file, content string) *text {
	return &text{file: file, lines: strings.Split(content, "\n")}
}

// errorAt reports an error at a line and column, both from 1.
func (t *text) errorAt(line, column int, hint, format string, args ...any) {
	t.report(Invalid, Error, line, column, hint, fmt.Sprintf(format, args...))
}

// report keeps the position inside the file, whatever a library said it was.
func (t *text) report(check string, g Gravity, line, column int, hint, message string) {
	line = min(max(line, 1), len(t.lines))
	shown := strings.ReplaceAll(strings.TrimRight(t.lines[line-1], "\r"), "\t", " ")
	column = min(max(column, 1), utf8.RuneCountInString(shown)+1)
	p := problemOf(check, g, t.file, message)
	p.Line, p.Column, p.Hint = line, column, hint
	if strings.TrimSpace(shown) != "" {
		p.Snippet = cut(shown, column)
	}
	t.problems = append(t.problems, p)
}

// cut shows at most a screen line around the column, with a caret below it.
func cut(line string, column int) string {
	const before, width = 60, 120
	r := []rune(line)
	from := max(0, column-1-before)
	to := min(len(r), from+width)
	head, tail := "", ""
	if from > 0 {
		head = "…"
	}
	if to < len(r) {
		tail = "…"
	}
	pad := strings.Repeat(" ", column-1-from+utf8.RuneCountInString(head))
	return head + string(r[from:to]) + tail + "\n" + pad + "^"
}

// position turns an offset in characters into line and column.
func (t *text) position(offset int) (line, column int) {
	for i, l := range t.lines {
		n := utf8.RuneCountInString(l)
		if offset <= n {
			return i + 1, offset + 1
		}
		offset -= n + 1
	}
	last := len(t.lines)
	return last, utf8.RuneCountInString(t.lines[last-1]) + 1
}

func (t *text) hasErrors() bool { return t.problems.HasErrors() }
