package rules

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Format gives a rule file its usual form: the keys of the front matter in one
// order, one blank behind their colons, lists indented by two; no space at the
// ends of lines, no two blank lines in a row, lines that begin with a pipe
// indented by two. Comments stay, above what they are above, and the expression
// is otherwise as it was written. What the rule means does not change, and a
// file in this form is not changed. A file whose syntax is wrong is refused with
// its problems.
func Format(file string, data []byte) ([]byte, Problems) {
	if !utf8.Valid(data) {
		return nil, Problems{atStart(file, "the file is not UTF-8 text")}
	}
	content := strings.TrimPrefix(string(data), "\ufeff")
	content = strings.ReplaceAll(content, "\r\n", "\n")
	t := newText(file, content)
	head, src, ok := splitFrontMatter(t)
	if ok {
		root := parseYAML(t, head, strings.Count(head, "\n")+1)
		end := 1 + slices.IndexFunc(t.lines[1:], func(l string) bool { return strings.TrimRight(l, " \t") == fence })
		b := &body{text: t, src: src, config: newConfig(nil), lists: &lists{}, lost: map[string]bool{}}
		if b.parse() && !t.hasErrors() {
			lines := slices.Concat([]string{fence}, formatHead(root, t.lines[1:end]), []string{fence}, formatBody(t.lines[end+1:]))
			return []byte(strings.Join(lines, "\n") + "\n"), nil
		}
	}
	return nil, t.problems.inOrder()
}

// headOrder is the order of the keys; others stand behind them.
var headOrder = []string{
	"title", "severity", "description", "attack", "references", "false_positives", "runbook", "controls", "quiet", "status", "disable",
}

// headEntry is a key with its lines, and the comments above it.
type headEntry struct {
	rank  int
	lines []string
}

// formatHead formats the front matter, of which root is the tree. Where that
// would change what it says, it is left alone: it may be written in any YAML.
func formatHead(root *yaml.Node, lines []string) []string {
	first := 2 // the line of the file that lines begin with
	if root == nil || root.Kind != yaml.MappingNode || root.Style&yaml.FlowStyle != 0 {
		return lines
	}
	var starts []int
	for i := 0; i < len(root.Content); i += 2 {
		key := root.Content[i]
		if at := key.Line - first; key.Column != 1 || at < 0 || at >= len(lines) || len(starts) > 0 && at <= starts[len(starts)-1] {
			return lines
		}
		starts = append(starts, key.Line-first)
	}
	top, above := aboveFirst(lines[:starts[0]])
	out := slices.Clone(top)
	var entries []headEntry
	for i, at := range starts {
		end := len(lines)
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		own, next := below(lines[at:end])
		rank := slices.Index(headOrder, root.Content[2*i].Value)
		if rank < 0 {
			rank = len(headOrder)
		}
		entries = append(entries, headEntry{rank, append(above, formatEntry(own)...)})
		above = next
	}
	slices.SortStableFunc(entries, func(a, b headEntry) int { return a.rank - b.rank })
	for _, e := range entries {
		out = append(out, e.lines...)
	}
	out = append(out, above...)
	if !sameYAML(lines, out) {
		return lines
	}
	return out
}

// aboveFirst parts what stands above the first key: what a blank line ends is
// about the file and stays at its top.
func aboveFirst(lines []string) (top, above []string) {
	cut := 0
	for i, l := range lines {
		if isBlank(l) && i > 0 && !isBlank(lines[i-1]) {
			cut = i
		}
	}
	if top = comments(lines[:cut]); len(top) > 0 {
		top = append(top, "")
	}
	return top, comments(lines[cut:])
}

// below parts the lines from one key to the next: its own, and the comments
// above the next.
func below(lines []string) (own, next []string) {
	n := len(lines)
	for n > 1 && (isBlank(lines[n-1]) || strings.HasPrefix(lines[n-1], "#")) {
		n--
	}
	own, next = lines[:n], comments(lines[n:])
	if keepsBlanks.MatchString(strings.Join(own, "\n")) {
		for n < len(lines) && isBlank(lines[n]) { // they belong to the text
			own, n = append(slices.Clone(own), lines[n]), n+1
		}
	}
	return own, next
}

// comments are the lines that are not blank.
func comments(lines []string) []string {
	var out []string
	for _, l := range lines {
		if !isBlank(l) {
			out = append(out, strings.TrimRight(l, " \t"))
		}
	}
	return out
}

func isBlank(line string) bool { return strings.TrimSpace(line) == "" }

var (
	// blockText begins a text of several lines, whose lines are as they are.
	blockText   = regexp.MustCompile(`(?m)[:-][ \t]+(?:[!&]\S+[ \t]+)*[|>][-+0-9]*[ \t]*(?:#.*)?$`)
	keepsBlanks = regexp.MustCompile(`(?m)[:-][ \t]+(?:[!&]\S+[ \t]+)*[|>][-0-9]*\+[-0-9]*[ \t]*(?:#.*)?$`)
	keyAndValue = regexp.MustCompile(`^([a-z_]+)[ \t]*:[ \t]+(\S.*)$`)
	listItem    = regexp.MustCompile(`^([ \t]*)(?:- +(\S.*)|(#.*))$`)
)

// formatEntry formats the lines of one key.
func formatEntry(lines []string) []string {
	out := slices.Clone(lines)
	out[0] = keyAndValue.ReplaceAllString(strings.TrimRight(out[0], " \t"), "$1: $2")
	if blockText.MatchString(strings.Join(lines, "\n")) {
		return out
	}
	for i := 1; i < len(out); i++ {
		out[i] = strings.TrimRight(out[i], " \t")
	}
	if items, ok := formatItems(out[1:]); ok {
		return append(out[:1], items...)
	}
	return out
}

// formatItems indents a list of plain lines by two.
func formatItems(lines []string) ([]string, bool) {
	var out []string
	for _, l := range lines {
		if isBlank(l) {
			continue
		}
		m := listItem.FindStringSubmatch(l)
		switch first := listItem.FindStringSubmatch(lines[0]); {
		case m == nil || first == nil || m[2] != "" && m[1] != first[1]:
			return nil, false
		case m[2] != "":
			out = append(out, "  - "+m[2])
		default:
			out = append(out, "  "+m[3])
		}
	}
	return out, len(out) > 0
}

// sameYAML tells whether two front matters say the same. Whether a text ends with
// its line depends on whether it is the last, and matters to nobody.
func sameYAML(a, b []string) bool {
	var one, other map[string]any
	if yaml.Unmarshal([]byte(strings.Join(a, "\n")), &one) != nil || yaml.Unmarshal([]byte(strings.Join(b, "\n")), &other) != nil {
		return false
	}
	for _, m := range []map[string]any{one, other} {
		for k, v := range m {
			if text, ok := v.(string); ok {
				m[k] = strings.TrimRight(text, "\n")
			}
		}
	}
	return reflect.DeepEqual(one, other)
}
