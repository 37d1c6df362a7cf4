package onepassword

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
)

// Hosts are the documented servers of the Events API, by the region's short
// name, which is how the configuration names them.
var Hosts = map[string]string{
	"com": "events.1password.com",
	"ent": "events.ent.1password.com",
	"ca":  "events.1password.ca",
	"eu":  "events.1password.eu",
}

// Regions lists the keys of Hosts, for messages.
var Regions = []string{"com", "ent", "ca", "eu"}

// knownHost reports whether the host is one of Hosts. A token is input nobody
// has verified: without this list a forged one could choose where it is sent.
func knownHost(host string) bool {
	for _, h := range Hosts {
		if h == host {
			return true
		}
	}
	return false
}

// BaseURL decides where the token is sent: the configured URL if there is one,
// else the host the token names, which has to be one of Hosts and that of the
// configured region, if one is configured.
func BaseURL(configured, region string, t Token) (string, error) {
	if configured != "" {
		return CheckURL(configured)
	}
	if region != "" && !slices.Contains(Regions, region) {
		return "", fmt.Errorf("region: %q is not known; use one of %s", region, strings.Join(Regions, ", "))
	}
	c := t.Claims()
	switch {
	case c.Opaque:
		return "", fmt.Errorf("the token %s is not a 1Password Events token (three parts with dots between them): copy it again, whole, from where it was saved", t)
	case c.Legacy && region != "":
		return "https://" + Hosts[region], nil
	case c.Legacy:
		return "", fmt.Errorf("the token %s is of the kind made before July 2021 and does not name its server: make a new one in Integrations → Events Reporting, or set region to one of %s", t, strings.Join(Regions, ", "))
	case !knownHost(c.Host):
		return "", fmt.Errorf("the token %s names the server %q, which is none of 1Password's: check that it is an Events Reporting token, or set url if that server is meant", t, c.Host)
	case region != "" && Hosts[region] != c.Host:
		return "", fmt.Errorf("region: the token %s is for %s, but region %q is %s: remove region, or use the token of that account", t, c.Host, region, Hosts[region])
	}
	return "https://" + c.Host, nil
}

// CheckURL returns the base URL without a trailing slash. It has to be https,
// or http to this very machine (a simulator), since the token travels over it.
func CheckURL(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("url: %q is not a URL; use one like https://events.1password.com", s)
	}
	switch {
	case u.User != nil:
		return "", fmt.Errorf("url: no user name or password belongs in it; the token is configured apart")
	case u.RawQuery != "" || u.Fragment != "":
		return "", fmt.Errorf("url: %q has a query or fragment; give the part before the path /api only", s)
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return strings.TrimRight(u.String(), "/"), nil
	case u.Scheme == "http":
		return "", fmt.Errorf("url: %q would send the token unencrypted; use https (http is for this machine only)", s)
	}
	return "", fmt.Errorf("url: %q has the scheme %q; use https", s, u.Scheme)
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
