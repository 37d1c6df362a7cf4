package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"

	"watchword/bus/event"
)

// The API's objects, by which the fields of test events are checked.
var (
	apiUser     = reflect.TypeFor[event.APIUser]()
	apiClient   = reflect.TypeFor[event.APIClient]()
	apiLocation = reflect.TypeFor[event.APILocation]()
	apiObjects  = map[event.Feed]reflect.Type{
		event.FeedSigninAttempts: reflect.TypeFor[event.SigninAttempt](),
		event.FeedItemUsages:     reflect.TypeFor[event.ItemUsage](),
		event.FeedAuditEvents:    reflect.TypeFor[event.AuditEvent](),
	}
)

// objects are the API objects that an entry of events stands for, new ones at
// each call.
func (p *testParser) objects(e *testEvent) []map[string]any {
	switch {
	case e.raw != nil:
		if o, ok := p.value(e.raw).(map[string]any); ok {
			return []map[string]any{o}
		}
		p.errorAt(e.raw.Line, e.raw.Column, "", "raw must be the API's object, not %s", describe(e.raw))
		return nil
	case e.file != nil:
		return p.readObjects(e.file)
	}
	o := p.readRecord(e.fields, apiObjects[e.feed], string(e.feed.Kind()))
	switch e.feed {
	case event.FeedSigninAttempts:
		completeSignin(o, e)
	case event.FeedItemUsages:
		completeItem(o, e)
	case event.FeedAuditEvents:
		p.completeAudit(o, e)
	}
	fill(o, "location", e.location)
	return []map[string]any{o}
}

// signinTypes are the types that go with the categories in the API's samples.
var signinTypes = map[string]string{
	"success": "credentials_ok", "firewall_reported_success": "credentials_ok",
	"credentials_failed": "password_secret_bad", "mfa_failed": "totp_bad", "sso_failed": "non_sso_user",
	"modern_version_failed": "modern_version_old", "firewall_failed": "ip_blocked",
}

func completeSignin(o map[string]any, e *testEvent) {
	fill(o, "category", "success")
	category, _ := o["category"].(string)
	fill(o, "type", signinTypes[category])
	fill(o, "country", e.location["country"])
	fill(o, "target_user", e.user)
	fill(o, "client", e.client)
}

func completeItem(o map[string]any, e *testEvent) {
	fill(o, "action", "fill")
	fill(o, "vault_uuid", "vault")
	fill(o, "item_uuid", "item")
	fill(o, "used_version", 1)
	fill(o, "user", e.user)
	fill(o, "client", e.client)
}

func (p *testParser) completeAudit(o map[string]any, e *testEvent) {
	for _, key := range []string{"action", "object_type"} {
		if o[key] == nil {
			p.errorAt(e.fields.Line, e.fields.Column, "", "an audit event has an %s", strings.ReplaceAll(key, "_", " "))
		}
	}
	fill(o, "actor_details", e.user)
	if e.user != nil {
		fill(o, "actor_uuid", e.user["uuid"])
	}
	if ip := e.client["ip_address"]; ip != nil {
		fill(o, "session", map[string]any{"uuid": "session", "ip": ip})
	}
	// The API adds details where the object, or the second one of a membership
	// or an access, is a person.
	if id, ok := o["object_uuid"].(string); ok && o["object_type"] == "user" {
		fill(o, "object_details", person(id))
	}
	if id, ok := o["aux_uuid"].(string); ok && (o["object_type"] == "uva" || o["object_type"] == "gm") {
		fill(o, "aux_details", person(id))
	}
}

// fill sets a field that is not there yet, if there is something to set.
func fill(o map[string]any, key string, value any) {
	if m, isMap := value.(map[string]any); isMap && len(m) == 0 || value == nil || o[key] != nil {
		return
	}
	o[key] = value
}

// person is what the API says of a person known by one word.
func person(word string) map[string]any {
	return map[string]any{"uuid": word, "name": word, "email": word + "@example.test"}
}

// readUser reads `user: mallory`, whose uuid is the word itself, so that the
// key of an alert can be written the same; or the API's own fields.
func (p *testParser) readUser(n *yaml.Node) map[string]any {
	if n.Kind == yaml.MappingNode {
		return p.readRecord(n, apiUser, "user")
	}
	if word := readLine(p.text, n, "user"); word != "" {
		return person(word)
	}
	return nil
}

// readRecord reads a map whose keys are the API's own, as the type has them.
func (p *testParser) readRecord(n *yaml.Node, t reflect.Type, what string) map[string]any {
	out := map[string]any{}
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		return out
	}
	readers := map[string]func(*yaml.Node){}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		readers[name] = func(n *yaml.Node) {
			ft := f.Type
			if ft.Kind() == reflect.Pointer {
				ft = ft.Elem()
			}
			if ft.Kind() == reflect.Struct && n.Kind == yaml.MappingNode {
				out[name] = p.readRecord(n, ft, name)
			} else {
				out[name] = p.value(n)
			}
		}
	}
	if n.Kind != yaml.MappingNode {
		p.errorAt(n.Line, n.Column, "", "%s must be the API's fields, not %s", what, describe(n))
		return out
	}
	readMap(p.text, n, readers)
	return out
}

// value is a YAML node as JSON has it. A time is the text it was written as.
func (p *testParser) value(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			out[n.Content[i].Value] = p.value(n.Content[i+1])
		}
		return out
	case yaml.SequenceNode:
		out := []any{}
		for _, e := range n.Content {
			out = append(out, p.value(e))
		}
		return out
	case yaml.AliasNode:
		p.errorAt(n.Line, n.Column, "write it out", "aliases are not read")
		return nil
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool", "!!int", "!!float":
		var v any
		if err := n.Decode(&v); err == nil {
			return v
		}
	}
	return n.Value
}

// readObjects reads the API objects of a JSON file below the folder: one
// object, a list of them, or a page as the API answers it.
func (p *testParser) readObjects(n *yaml.Node) []map[string]any {
	objects, err := p.readJSON(readLine(p.text, n, "file"))
	if err != nil {
		p.errorAt(n.Line, n.Column, "", "file %s: %v", n.Value, reason(err))
	}
	return objects
}

func (p *testParser) readJSON(name string) ([]map[string]any, error) {
	switch {
	case p.files == nil:
		return nil, errors.New("there is no folder to read it from")
	case !fs.ValidPath(name) || path.IsAbs(name):
		return nil, errors.New("must be a path below the rules' folder, with no way up")
	}
	data, err := readFile(p.files, name, maxTestFile)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var one struct {
		page map[string]any
		list []map[string]any
	}
	if trimmed := bytes.TrimSpace(data); len(trimmed) > 0 && trimmed[0] == '[' {
		err = d.Decode(&one.list)
		return one.list, err
	}
	if err := d.Decode(&one.page); err != nil {
		return nil, err
	}
	items, isPage := one.page["items"].([]any)
	if !isPage {
		return []map[string]any{one.page}, nil
	}
	for i, item := range items {
		o, ok := item.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("entry %d of items is no object", i+1)
		}
		one.list = append(one.list, o)
	}
	return one.list, nil
}
