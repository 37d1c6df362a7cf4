package rules

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"watchword/bus/alert"
)

// frontMatter is the YAML head of a rule file, checked.
type frontMatter struct {
	title, description, runbook                  string
	severity                                     alert.Severity
	status                                       Status
	attack, references, falsePositives, controls []string
	quiet                                        time.Duration // 0: not said
	disable                                      []string      // names of checks
}

// fence is the line that opens and closes the front matter.
const fence = "---"

// splitFrontMatter gives the front matter and the expression of a file. Each
// keeps its place: what belongs to the other is blank, so that every line and
// column a library reports is that of the file.
func splitFrontMatter(t *text) (head, body string, ok bool) {
	isFence := func(l string) bool { return strings.TrimRight(l, " \t") == fence }
	if !isFence(t.lines[0]) {
		t.errorAt(1, 1, "write title and severity between two --- lines, then the expression",
			"a rule file starts with its front matter")
		return "", strings.Join(t.lines, "\n"), false
	}
	end := 1 + slices.IndexFunc(t.lines[1:], isFence)
	if end == 0 {
		t.errorAt(1, 1, "write --- on a line of its own before the expression", "the front matter does not end")
		return "", "", false
	}
	blank := func(lines []string) []string {
		out := make([]string, len(lines))
		for i, l := range lines {
			out[i] = strings.Repeat(" ", len([]rune(l)))
		}
		return out
	}
	head = "\n" + strings.Join(t.lines[1:end], "\n")
	body = strings.Join(append(blank(t.lines[:end+1]), t.lines[end+1:]...), "\n")
	return head, body, true
}

// yamlLine finds the line in an error of the YAML library, which gives nothing else.
var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// parseYAML reads one document whose line 1 is line 1 of the file.
func parseYAML(t *text, content string, last int) *yaml.Node {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(content), &doc); err != nil {
		line, message := last, err.Error()
		if m := yamlLine.FindStringSubmatch(message); m != nil {
			message = m[2]
			if n, err := strconv.Atoi(m[1]); err == nil {
				line = min(n, last)
			}
		}
		indent := 1
		if line >= 1 && line <= len(t.lines) {
			indent += len(t.lines[line-1]) - len(strings.TrimLeft(t.lines[line-1], " "))
		}
		t.errorAt(line, indent, "", "not valid YAML: %s", message)
		return nil
	}
	if len(doc.Content) == 0 {
		return nil
	}
	return doc.Content[0]
}

var (
	attackID = regexp.MustCompile(`^T\d{4}(\.\d{3})?$`)
	statuses = []string{string(Active), string(Staged), string(Disabled)}
)

// parseFrontMatter reads and checks the head of a rule file.
func parseFrontMatter(t *text, head string) frontMatter {
	fm := frontMatter{status: Active}
	last := strings.Count(head, "\n") + 1
	root := parseYAML(t, head, last)
	if root == nil && t.hasErrors() {
		return fm
	}
	seen := map[string]bool{}
	if root != nil {
		seen = readMap(t, root, map[string]func(*yaml.Node){
			"title":           func(n *yaml.Node) { fm.title = readLine(t, n, "title") },
			"severity":        func(n *yaml.Node) { fm.severity = alert.Severity(readOneOf(t, n, "severity", severities())) },
			"description":     func(n *yaml.Node) { fm.description = readText(t, n, "description") },
			"attack":          func(n *yaml.Node) { fm.attack = readAttack(t, n) },
			"references":      func(n *yaml.Node) { fm.references = readReferences(t, n) },
			"false_positives": func(n *yaml.Node) { fm.falsePositives = texts(readTexts(t, n, "false_positives")) },
			"runbook":         func(n *yaml.Node) { fm.runbook = readText(t, n, "runbook") },
			"controls":        func(n *yaml.Node) { fm.controls = texts(readTexts(t, n, "controls")) },
			"quiet":           func(n *yaml.Node) { fm.quiet = readDuration(t, n, "quiet") },
			"disable":         func(n *yaml.Node) { fm.disable = readDisable(t, n) },
			"status":          func(n *yaml.Node) { fm.status = Status(readOneOf(t, n, "status", statuses)) },
		})
	}
	if root != nil && root.Kind != yaml.MappingNode {
		return fm
	}
	var missing []string
	for _, key := range []string{"title", "severity"} {
		if !seen[key] {
			missing = append(missing, "no "+key)
		}
	}
	if len(missing) > 0 {
		t.errorAt(1, 1, "", "the front matter has %s", strings.Join(missing, " and "))
	}
	return fm
}

func severities() []string {
	out := make([]string, len(alert.Severities))
	for i, s := range alert.Severities {
		out[i] = string(s)
	}
	return out
}

func readAttack(t *text, n *yaml.Node) []string {
	ids := readTexts(t, n, "attack")
	for _, id := range ids {
		if !attackID.MatchString(id.Value) {
			t.report(attackIDCheck, Error, id.Line, id.Column, "write it as T1110 or T1555.005", fmt.Sprintf("%q is no ATT&CK technique id", id.Value))
		}
	}
	return texts(ids)
}

// readDisable reads the names of checks that the rule silences.
func readDisable(t *text, n *yaml.Node) []string {
	names := readTexts(t, n, "disable")
	for _, name := range names {
		switch {
		case slices.Contains(warnings(), name.Value):
		case slices.Contains(CheckNames(), name.Value):
			t.errorAt(name.Line, name.Column, "only warnings can be silenced", "what %s says is an error", name.Value)
		default:
			hint := didYouMean(name.Value, warnings())
			if hint == "" {
				hint = "the checks that can be silenced are " + some(warnings())
			}
			t.errorAt(name.Line, name.Column, hint, "there is no check %q", name.Value)
		}
	}
	return texts(names)
}

func readReferences(t *text, n *yaml.Node) []string {
	refs := readTexts(t, n, "references")
	for _, r := range refs {
		u, err := url.Parse(r.Value)
		if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
			t.errorAt(r.Line, r.Column, "write it whole: https://…", "%q is no web address", r.Value)
		}
	}
	return texts(refs)
}
