package rules

import (
	"strings"

	"watchword/bus/event"
)

// known lists the values a field can have, as far as they are known. The API's
// lists grow, so another value is a warning. The lists are those of the Events
// API reference of 1Password, v2; u2f_timout is its older spelling of
// u2f_timeout.
var known = map[string][]string{
	"kind":           kinds,
	"user.type":      {"user", "external_user"},
	"signin.outcome": {event.OutcomeSuccess, event.OutcomeFailure},
	"signin.category": strings.Fields(`success firewall_reported_success credentials_failed mfa_failed sso_failed
		modern_version_failed firewall_failed`),
	"signin.type": strings.Fields(`credentials_ok mfa_ok federated password_secret_bad mfa_missing
		totp_disabled totp_bad totp_timeout u2f_disabled u2f_bad u2f_timeout u2f_timout
		duo_disabled duo_bad duo_timeout duo_native_bad
		platform_secret_disabled platform_secret_bad platform_secret_proxy code_disabled code_bad code_timeout
		service_account_sso_denied non_sso_user sso_user_mismatch
		ip_blocked country_blocked continent_blocked anonymous_blocked all_blocked
		modern_version_missing modern_version_old`),
	"item.action": strings.Fields(`fill reveal secure-copy enter-item-edit-mode export share select-sso-provider
		server-create server-update server-fetch other`),
	"audit.object_type": strings.Fields(`account user device group gm vault uva gva vaultkey item items itemhist invite
		sa satoken sso ssotkn cred report file template slackapp sub card pm famchild miguser dlgdsess mngdacc ec`),
	"audit.action": strings.Fields(`activate addgsso begin beginr cancel cancelr changeks changela changemp changenm
		changesk chngasso chngdsso chngpsso complete completr convert create dealldev delete delgsso delshare
		deolddev detchild disblduo disblmfa disblsso dlgsess dvrfydmn enblduo enblmfa enblsso expire export grant
		hide join launchi leave musercom muserdec patch propose provsn prsndall purge rdmchild reactive reauth
		replace resendts revoke role sdvcsso sendpkg sendts share ssotknv suspend tdvcsso trename trevoke trvlaway
		trvlback tverify uisas unhide unknown unlink update updatea updatduo updatfw updatmfa upguest uvrfydmn
		verify view vrfydmn`),
}
