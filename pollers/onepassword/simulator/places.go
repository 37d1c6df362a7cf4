package simulator

import (
	"fmt"
	"net/netip"
	"time"
)

// city is a place on earth as the API tells of it.
type city struct {
	code    string // ISO 3166-1 alpha-2
	country string // English name; the API is seen to send either
	region  string
	name    string
	lat     float64
	lon     float64
	// offset is the standard time of the place; summer time is left out,
	// since nothing in the API depends on it.
	offset time.Duration
}

// offices are the cities in which people of a world live and work.
var offices = []city{
	{"CA", "Canada", "Ontario", "Toronto", 43.65, -79.38, -5 * time.Hour},
	{"US", "United States", "New York", "New York", 40.71, -74.01, -5 * time.Hour},
	{"US", "United States", "California", "San Francisco", 37.77, -122.42, -8 * time.Hour},
	{"GB", "United Kingdom", "England", "London", 51.51, -0.13, 0},
	{"DE", "Germany", "Berlin", "Berlin", 52.52, 13.4, time.Hour},
	{"NL", "Netherlands", "North Holland", "Amsterdam", 52.37, 4.89, time.Hour},
	{"FR", "France", "Brittany", "Rennes", 48.11, -1.67, time.Hour},
	{"JP", "Japan", "Tokyo", "Tokyo", 35.68, 139.69, 9 * time.Hour},
	{"AU", "Australia", "New South Wales", "Sydney", -33.87, 151.21, 10 * time.Hour},
	{"PT", "Portugal", "Lisbon", "Lisbon", 38.72, -9.14, 0},
}

// elsewhere are cities from which nobody of a world works. None shares a
// country with an office.
var elsewhere = []city{
	{"BR", "Brazil", "Sao Paulo", "São Paulo", -23.55, -46.63, -3 * time.Hour},
	{"RO", "Romania", "Bucharest", "Bucharest", 44.43, 26.1, 2 * time.Hour},
	{"VN", "Vietnam", "Hanoi", "Hanoi", 21.03, 105.85, 7 * time.Hour},
	{"ZA", "South Africa", "Gauteng", "Johannesburg", -26.2, 28.05, 2 * time.Hour},
	{"MX", "Mexico", "Mexico City", "Mexico City", 19.43, -99.13, -6 * time.Hour},
	{"TR", "Turkey", "Istanbul", "Istanbul", 41.01, 28.98, 3 * time.Hour},
	{"AR", "Argentina", "Buenos Aires", "Buenos Aires", -34.6, -58.38, -3 * time.Hour},
	{"ID", "Indonesia", "Jakarta", "Jakarta", -6.21, 106.85, 7 * time.Hour},
}

// spot is an internet address and where it is thought to be.
type spot struct {
	city *city
	ip   string
}

// MaxAccounts is how many accounts can live side by side without sharing an
// address: each has its own blocks, see address.
const MaxAccounts = 64

// address is the n-th address of ordinary life in an account. Shared address
// space (RFC 6598) belongs to nobody on the public internet, and 64 blocks of
// 65,536 fit into it. Every seventh address is IPv6, from the documentation
// prefix (RFC 3849).
func address(account, n int) string {
	n &= 0xffff
	if n%7 == 6 {
		return netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, byte(account), 1, 12: 0, 13: 0, 14: byte(n >> 8), 15: byte(n)}).String()
	}
	return fmt.Sprintf("100.%d.%d.%d", 64+account, n>>8, n&0xff)
}

// strangeAddress is the n-th address outside ordinary life: attackers, blocked
// countries. The block (RFC 2544, benchmarking) gives each account 2,048; the
// next use of one comes so much later that no rule joins the two.
func strangeAddress(account, n int) string {
	n = account<<11 | n&0x7ff
	return fmt.Sprintf("198.%d.%d.%d", 18+n>>16, n>>8&0xff, n&0xff)
}
