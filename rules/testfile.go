package rules

import (
	"errors"
	"io/fs"
	"strings"

	"go.yaml.in/yaml/v3"

	"watchword/bus/alert"
	"watchword/bus/event"
)

// Case is one test of a rule: the events that are there, and the alerts that
// must come of them. Whoever runs it may deliver the events in any order.
type Case struct {
	Name   string
	Line   int // where it begins in its file
	Events []event.Event
	Alerts []ExpectedAlert
}

// ExpectedAlert is one alert a case must end with.
type ExpectedAlert struct {
	Line     int
	Key      []string
	Evidence int          // how many events; 0: not said
	Status   alert.Status // empty: not said
	Source   string       // empty: not said
}

// TestSuffix ends the name of the test file beside a rule: <id>_test.yaml.
const TestSuffix = "_test.yaml"

// maxTestFile bounds a test file and each file it names, in bytes.
const maxTestFile = 4 << 20

// maxCaseEvents bounds the events of one case.
const maxCaseEvents = 100_000

// LoadTests reads the tests beside the rule with the id, none where it has no
// test file. Files that events name are read from the same folder.
func LoadTests(folder Folder, id string) ([]Case, Problems) {
	name := id + TestSuffix
	data, err := readFile(folder.FS, name, maxTestFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, Problems{unreadable(folder.file(name), err)}
	}
	return parseTests(folder.file(name), data, folder.FS)
}

// ParseTests reads a test file that names no other files.
func ParseTests(name string, data []byte) ([]Case, Problems) {
	return parseTests(name, data, nil)
}

// parseTests reads a test file; there are no cases if there is any error.
func parseTests(name string, data []byte, files fs.FS) ([]Case, Problems) {
	content := strings.ReplaceAll(strings.TrimPrefix(string(data), "\ufeff"), "\r\n", "\n")
	p := &testParser{text: newText(name, content), files: files}
	root := parseYAML(p.text, content, len(p.lines))
	var cases []Case
	switch {
	case root == nil:
	case root.Kind != yaml.SequenceNode:
		p.errorAt(root.Line, root.Column, "begin each case with - name: …", "a test file is a list of cases, not %s", describe(root))
	default:
		names := map[string]bool{}
		for _, n := range root.Content {
			c := p.readCase(n)
			if names[c.Name] && c.Name != "" {
				p.errorAt(n.Line, n.Column, "", "there is another case named %q", c.Name)
			}
			names[c.Name] = true
			cases = append(cases, c)
		}
	}
	if p.hasErrors() {
		return nil, p.problems.inOrder()
	}
	return cases, p.problems
}

type testParser struct {
	*text
	files fs.FS // what events with file: are read from, nil: nothing

	source string // of the case at hand, for events that do not say theirs
	count  int    // events of the case at hand
}

func (p *testParser) readCase(n *yaml.Node) Case {
	c := Case{Line: n.Line}
	p.source, p.count = defaultSource, 0
	var events *yaml.Node
	seen := readMap(p.text, n, map[string]func(*yaml.Node){
		"name":   func(n *yaml.Node) { c.Name = readLine(p.text, n, "name") },
		"source": func(n *yaml.Node) { p.source = readLine(p.text, n, "source") },
		"events": func(n *yaml.Node) { events = n }, // after source, wherever that stands
		"alerts": func(n *yaml.Node) { c.Alerts = p.readAlerts(n) },
	})
	if n.Kind != yaml.MappingNode {
		return c
	}
	for _, key := range []string{"name", "events", "alerts"} {
		if !seen[key] {
			p.errorAt(n.Line, n.Column, "", "the case has no %s", key)
		}
	}
	if events != nil {
		for _, e := range p.list(events, "events") {
			c.Events = append(c.Events, p.readEvent(e)...)
		}
	}
	return c
}

func (p *testParser) list(n *yaml.Node, key string) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		p.errorAt(n.Line, n.Column, "write [] for none", "%s must be a list, not %s", key, describe(n))
		return nil
	}
	return n.Content
}

func (p *testParser) readAlerts(n *yaml.Node) []ExpectedAlert {
	var out []ExpectedAlert
	for _, e := range p.list(n, "alerts") {
		a := ExpectedAlert{Line: e.Line}
		seen := readMap(p.text, e, map[string]func(*yaml.Node){
			"key":      func(n *yaml.Node) { a.Key = p.readKey(n) },
			"evidence": func(n *yaml.Node) { a.Evidence = p.readCount(n, "evidence", maxCaseEvents) },
			"status":   func(n *yaml.Node) { a.Status = alert.Status(readOneOf(p.text, n, "status", alertStatuses)) },
			"source":   func(n *yaml.Node) { a.Source = readLine(p.text, n, "source") },
		})
		if e.Kind == yaml.MappingNode && !seen["key"] {
			p.errorAt(e.Line, e.Column, "write key: mallory, or key: [] for a rule without key fields", "the alert has no key")
		}
		out = append(out, a)
	}
	return out
}

var alertStatuses = []string{
	string(alert.Opened), string(alert.Updated), string(alert.Closed), string(alert.Merged), string(alert.Retracted),
}

// readKey reads one value or a list of them; what looks like a number is a text here.
func (p *testParser) readKey(n *yaml.Node) []string {
	nodes := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		nodes = n.Content
	}
	key := []string{}
	for _, part := range nodes {
		if part.Kind != yaml.ScalarNode || part.Value == "" {
			p.errorAt(part.Line, part.Column, "", "a key is a text or a list of texts, not %s", describe(part))
			continue
		}
		key = append(key, part.Value)
	}
	return key
}

func (p *testParser) readCount(n *yaml.Node, key string, most int) int {
	var v int
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || n.Decode(&v) != nil || v < 1 || v > most {
		p.errorAt(n.Line, n.Column, "", "%s must be a whole number from 1 to %d, not %s", key, most, describe(n))
		return 0
	}
	return v
}
