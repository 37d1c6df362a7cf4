package rules

// refusedFunctions are expr's functions that a rule may not call, with the
// reason.
var refusedFunctions = map[string]string{
	"now":      "now() differs from one evaluation to the next, and a rule must say the same of an event whenever it is asked: use the event's time",
	"keys":     "keys() has no fixed order, so a rule could say different things of the same event",
	"values":   "values() has no fixed order, so a rule could say different things of the same event",
	"toPairs":  "toPairs() has no fixed order, so a rule could say different things of the same event",
	"groupBy":  "groupBy() has no fixed order, so a rule could say different things of the same event",
	"uniq":     "uniq() compares everything with everything, so what it costs has no bound",
	"repeat":   "repeat() makes texts of any length, so what it costs has no bound",
	"join":     "join() makes texts of any length, so what it costs has no bound",
	"toJSON":   "toJSON() makes texts of any length, so what it costs has no bound",
	"toBase64": "toBase64() makes a longer text of every text, so what it costs has no bound",
	"timezone": "timezone() depends on the machine, and a rule must say the same of an event everywhere: times are UTC",
	"reduce":   "reduce() can grow a value with every element, so what it costs has no bound",
	"flatten":  "flatten() goes to any depth, so what it costs has no bound",
	"get":      "get() reaches fields that are not checked: name the field",
}

// The other refusals, each with its reason.
const (
	refusedEnv     = "$env reaches fields that are not checked: name the field"
	refusedMethod  = "methods of values are not part of the rule language, whose meaning must not change with a library"
	refusedLoop    = "a loop within a loop has no bound on what it costs"
	refusedRegexp  = "a regular expression must be a literal text, so that it is checked and compiled once and not for every event"
	refusedRange   = "a range must be between two literal numbers at most 1000 apart, so that what it costs has a bound"
	refusedNil     = "there is no nil in a rule: an absent field is empty"
	refusedLet     = "lets stand at the start of the file, one after the other"
	refusedMany    = "a rule is lets and then one expression"
	refusedMap     = "there are no maps in a rule: compare with lists of values"
	refusedGrowth  = "it joins more than 64 texts, counting those in its lets, so what it costs has no bound"
	refusedReplace = "replace() must replace one literal text by another that is no longer, so that no text grows without bound"
	refusedDynamic = "a field must be named, so that it is checked"
)

const (
	maxRange = 1000 // from the first to the last number
	maxJoins = 64   // texts in one by +
	maxKeys  = 8    // fields of a key
)
