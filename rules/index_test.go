package rules

import (
	"fmt"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/expr-lang/expr/vm"
	"pgregory.net/rapid"

	"watchword/bus/event"
)

// plainly matches without index and guards: every predicate of every enabled
// rule is run for every event of its kind.
func plainly(t *rapid.T, set *Set, f event.Fields) []string {
	var out []string
	for _, r := range set.rules {
		byKey := map[Key]uint64{}
		var order []Key
		for i, s := range r.compiled.steps {
			if r.Status == Disabled || s.kind != "" && string(s.kind) != f.Kind {
				continue
			}
			run := func(p *vm.Program) any {
				v, err := vm.Run(p, f)
				if err != nil {
					t.Fatal(err)
				}
				return v
			}
			if run(s.test) != true {
				continue
			}
			var parts []string
			for _, k := range s.keys {
				parts = append(parts, run(k).(string))
			}
			if slices.Contains(parts, "") {
				continue
			}
			key := NewKey(f.Source, parts...)
			if byKey[key] == 0 {
				order = append(order, key)
			}
			byKey[key] |= 1 << i
		}
		for _, k := range order {
			out = append(out, fmt.Sprintf("%s %q %b", r.ID, k, byKey[k]))
		}
	}
	return out
}

// conditions are drawn from per kind; some name an indexed field in ways that
// must not become a guard.
var conditions = map[string][]string{
	"signin": {
		`signin.category == "success"`, `"mfa_failed" == signin.category`, `signin.outcome == "failure"`, `signin.outcome != "failure"`,
		`signin.category in ["success", "mfa_failed"]`, `signin.type == ""`, `not (signin.category == "success")`,
		`(signin.category == "success" || signin.outcome == "failure")`, `signin.category not in ["success"]`,
		`(signin.outcome == "failure" ? signin.category == "mfa_failed" : true)`, `kind == "signin"`,
	},
	"item": {
		`item.action == "export"`, `item.action != "fill"`, `item.action in ["fill", "reveal", "fill"]`, `item.vault_uuid == "v1"`,
		`!(item.action == "export")`, `(item.action == "export" or item.vault_uuid == "v2")`, `item.action startsWith "e"`, `kind == "item"`,
		`lookup("vaults", item.vault_uuid).owner == user.uuid`, `lookup("vaults", item.vault_uuid).action == item.action`,
	},
	"audit": {
		`audit.action == "suspend"`, `audit.object_type == "user"`, `audit.action in ["suspend", "grant"]`, `audit.object_uuid != ""`,
		`(audit.action == "grant" == (audit.object_type == "uva"))`, `kind == "audit"`,
	},
	"": {`user.uuid == "u1"`, `!user.service`, `user.uuid in ["u1", "u2"]`, `kind in ["item", "audit"]`, `kind != "item"`, `true`, `lookup("vaults", user.uuid).owner == ""`},
}

func drawBody(t *rapid.T) string {
	step := func() string {
		kind := rapid.SampledFrom([]string{"signin", "item", "audit", ""}).Draw(t, "kind")
		text := rapid.SampledFrom(conditions[kind]).Draw(t, "condition")
		for range rapid.IntRange(0, 2).Draw(t, "more") {
			other := rapid.SampledFrom(append(slices.Clone(conditions[kind]), conditions[""]...)).Draw(t, "condition")
			text += rapid.SampledFrom([]string{" && ", " and ", " || "}).Draw(t, "operator") + other
		}
		return text
	}
	key := rapid.SampledFrom([]string{"user.uuid", "source", "item.vault_uuid", "audit.object_uuid"})
	body := fmt.Sprintf("let a = %s;\nlet b = %s;\n", step(), step())
	return body + fmt.Sprintf(`sequence(a | by(%s), b | by(%s)) | within("1h")`, key.Draw(t, "key"), key.Draw(t, "key"))
}

func drawEvent(t *rapid.T) event.Fields {
	pick := func(of ...string) string { return rapid.SampledFrom(of).Draw(t, "value") }
	f := event.Fields{Kind: pick("signin", "item", "audit", "other"), Source: "acme"}
	f.User = event.User{UUID: pick("", "u1", "u2", "u3"), Service: rapid.Bool().Draw(t, "service")}
	switch f.Kind {
	case "signin":
		f.Signin = event.Signin{Category: pick("", "success", "mfa_failed", "sso_failed"), Outcome: pick("success", "failure")}
	case "item":
		f.Item = event.Item{Action: pick("", "export", "fill", "reveal"), VaultUUID: pick("", "v1", "v2")}
	case "audit":
		f.Audit = event.Audit{Action: pick("suspend", "grant", "join"), ObjectType: pick("user", "uva"), ObjectUUID: pick("", "u1", "u2")}
	}
	return f
}

// Looking steps up by kind and value changes nothing but the time it takes.
func TestIndexEqualsPlainly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bodies := map[string]string{}
		for i := range rapid.IntRange(1, 8).Draw(t, "rules") {
			bodies[fmt.Sprint("r", i)] = drawBody(t)
		}
		files := fstest.MapFS{"lists/vaults.csv": csvFile("uuid,owner,action", "v1,u1,export", "v2,,fill", "u1,u2,")}
		for id, body := range bodies {
			files[id+".expr"] = &fstest.MapFile{Data: []byte(head + body)}
		}
		set, problems := Load(Folder{FS: files})
		if set == nil {
			t.Fatal(problems)
		}
		m := set.Matcher()
		for range 20 {
			f := drawEvent(t)
			var got []string
			m.Match(f, func(hit Match) {
				got = append(got, fmt.Sprintf("%s %q %b", hit.Rule.ID, hit.Key, hit.Steps))
			})
			if want := plainly(t, set, f); !slices.Equal(got, want) {
				t.Fatalf("event %+v\nrules %q\ngot  %q\nwant %q", f, bodies, got, want)
			}
			for _, r := range set.rules {
				var alone []string
				m.MatchRule(r, f, func(hit Match) {
					alone = append(alone, fmt.Sprintf("%s %q %b", hit.Rule.ID, hit.Key, hit.Steps))
				})
				var of []string
				for _, g := range got {
					if g[:len(r.ID)+1] == r.ID+" " {
						of = append(of, g)
					}
				}
				if !slices.Equal(alone, of) {
					t.Fatalf("MatchRule of %s gives %q, Match %q", r.ID, alone, of)
				}
			}
		}
	})
}
