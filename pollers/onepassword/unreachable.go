package onepassword

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"os"
	"syscall"
)

// reason says in plain words why there was no answer, or no page in it.
func reason(err error) string {
	var dns *net.DNSError
	var netErr net.Error
	switch {
	case err == nil:
		return "it is not known why"
	case isCertificate(err):
		return "its certificate is not accepted: " + tidy(innermost(err).Error())
	case errors.As(err, &dns) && dns.IsNotFound:
		return "the name does not exist"
	case errors.As(err, &dns):
		return "the name could not be looked up"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the connection was broken off"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "there is no way to it on the network"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return "it took too long"
	}
	return tidy(Token{}.redact(innermost(err).Error()))
}

func adviceFor(err error, host string) string {
	var dns *net.DNSError
	switch {
	case isCertificate(err):
		return "check this machine's clock and certificates; a proxy that opens TLS has to let " + host + " through"
	case errors.As(err, &dns) && dns.IsNotFound:
		return "check url and region of the source, and this machine's name service"
	}
	return "it is tried again; check that this machine may reach " + host
}

func isCertificate(err error) bool {
	var verify *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	return errors.As(err, &verify) || errors.As(err, &unknown) || errors.As(err, &name) ||
		errors.As(err, &invalid) || errors.As(err, &record)
}

// innermost strips the request line that net/http puts around its errors.
func innermost(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return ue.Err
	}
	return err
}
