package simulator

// signinVerb is the outcome of a sign-in attempt. Which type goes with which
// category is read from the names in the API reference.
type signinVerb struct{ category, kind string }

const (
	signinOK = iota
	signinMFA
	signinReported
	signinBadPassword
	signinBadCode
	signinCodeTimeout
	signinKeyTimeout
	signinDuoTimeout
	signinNoFactor
	signinNotSSO
	signinOldApp
	signinCountryBlocked
	signinContinentBlocked
	signinUnknownType
)

var signinVerbs = []signinVerb{
	signinOK:               {"success", "credentials_ok"},
	signinMFA:              {"success", "mfa_ok"},
	signinReported:         {"firewall_reported_success", "continent_blocked"},
	signinBadPassword:      {"credentials_failed", "password_secret_bad"},
	signinBadCode:          {"mfa_failed", "totp_bad"},
	signinCodeTimeout:      {"mfa_failed", "totp_timeout"},
	signinKeyTimeout:       {"mfa_failed", "u2f_timout"}, // spelt so in the API's own specification
	signinDuoTimeout:       {"mfa_failed", "duo_timeout"},
	signinNoFactor:         {"mfa_failed", "mfa_missing"},
	signinNotSSO:           {"sso_failed", "non_sso_user"},
	signinOldApp:           {"modern_version_failed", "modern_version_old"},
	signinCountryBlocked:   {"firewall_failed", "country_blocked"},
	signinContinentBlocked: {"firewall_failed", "continent_blocked"},
	signinUnknownType:      {"success", "passkey_hybrid_ok"}, // in no published list: lists grow
}

// itemVerb is an action on an item and how often ordinary life does it.
type itemVerb struct {
	action string
	weight int // of 1,000
}

const (
	itemFill = iota
	itemReveal
	itemCopy
	itemEdit
	itemExport
	itemShare
	itemProvider
	itemCreate
	itemUpdate
	itemFetch
	itemOther
	itemUnknown
)

var itemVerbs = []itemVerb{
	itemFill:     {"fill", 550},
	itemReveal:   {"reveal", 130},
	itemCopy:     {"secure-copy", 160},
	itemEdit:     {"enter-item-edit-mode", 45},
	itemExport:   {"export", 0}, // planned person by person, see exportsOf
	itemShare:    {"share", 8},
	itemProvider: {"select-sso-provider", 30},
	itemCreate:   {"server-create", 25},
	itemUpdate:   {"server-update", 35},
	itemFetch:    {"server-fetch", 10},
	itemOther:    {"other", 6},
	itemUnknown:  {"passkey-sign", 1}, // in no published list: lists grow
}

// about says what an audit event's object or secondary thing is.
type about uint8

const (
	nothing  about = iota
	self           // the actor
	somebody       // another person
	aDevice
	aGroup
	aVault
	anItem
	anInvite
	aServiceAccount
	aToken
	theAccount
	aThing // something without a page of its own in the reference
)

// auditVerb is an action on an object, as far as the pairs are known.
type auditVerb struct {
	action, object string
	target, aux    about
	info           string // aux_info
	numbered       bool   // has a non-zero aux_id
	// How often ordinary life does it, of all of that role's; 0: only stories,
	// or planned apart.
	member, admin, bridge int
}

const (
	auditSuspend = iota
	auditFirewall
	auditVaultExport
	auditTokenCreate
	auditServiceAccount
	auditGrantVault
	auditRevokeVault
	auditCreateVault
	auditActivateUser
	auditJoinGroup
	auditGrantGroup
	auditCreateDevice
	auditDisableMFA
	auditBeginRecovery
	firstOrdinaryAudit
)

var auditVerbs = []auditVerb{
	auditSuspend:        {action: "suspend", object: "user", target: somebody},
	auditFirewall:       {action: "updatfw", object: "account", target: theAccount},
	auditVaultExport:    {action: "export", object: "vault", target: aVault},
	auditTokenCreate:    {action: "create", object: "satoken", target: aToken},
	auditServiceAccount: {action: "create", object: "sa", target: aServiceAccount},
	auditGrantVault:     {action: "grant", object: "uva", target: aVault, aux: somebody, admin: 14},
	auditRevokeVault:    {action: "revoke", object: "uva", target: aVault, aux: somebody, admin: 6},
	auditCreateVault:    {action: "create", object: "vault", target: aVault, admin: 3},
	auditActivateUser:   {action: "activate", object: "user", target: somebody, bridge: 10},
	auditJoinGroup:      {action: "join", object: "gm", target: aGroup, aux: somebody, info: "R", numbered: true, admin: 12, bridge: 40},
	auditGrantGroup:     {action: "grant", object: "gva", target: aVault, aux: aGroup, admin: 6},
	auditCreateDevice:   {action: "create", object: "device", target: aDevice, aux: self, numbered: true, member: 20},
	auditDisableMFA:     {action: "disblmfa", object: "user", target: somebody},
	auditBeginRecovery:  {action: "beginr", object: "user", target: somebody},

	firstOrdinaryAudit: {action: "reauth", object: "device", target: aDevice, aux: self, numbered: true, member: 25},
	{action: "leave", object: "gm", target: aGroup, aux: somebody, numbered: true, admin: 4, bridge: 20},
	{action: "role", object: "gm", target: aGroup, aux: somebody, info: "A", numbered: true, admin: 2},
	{action: "update", object: "uva", target: aVault, aux: somebody, admin: 6},
	{action: "update", object: "gva", target: aVault, aux: aGroup, admin: 4},
	{action: "revoke", object: "gva", target: aVault, aux: aGroup, admin: 2},
	{action: "create", object: "invite", target: anInvite, admin: 8},
	{action: "provsn", object: "user", target: somebody, bridge: 30},
	{action: "create", object: "group", target: aGroup, admin: 2},
	{action: "updatea", object: "user", target: somebody, admin: 5},
	{action: "changenm", object: "user", target: self, member: 3},
	{action: "changemp", object: "user", target: self, member: 4},
	{action: "enblmfa", object: "user", target: self, member: 5},
	{action: "trvlaway", object: "user", target: self, member: 2},
	{action: "trvlback", object: "user", target: self, member: 2},
	{action: "share", object: "item", target: anItem, member: 12, admin: 2},
	{action: "delshare", object: "item", target: anItem, member: 3},
	{action: "view", object: "report", target: aThing, admin: 10},
	{action: "patch", object: "items", target: aVault, member: 14, admin: 3},
	{action: "delete", object: "items", target: aVault, member: 6},
	{action: "view", object: "itemhist", target: anItem, member: 5},
	{action: "trename", object: "satoken", target: aToken, admin: 1},
	{action: "aigrant", object: "agent", target: aThing, member: 1}, // in no published list: lists grow
}
