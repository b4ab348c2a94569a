package play_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"grpc-interop/go_impl/internal/contract/driverpb"
)

// selfSigned returns a certificate for 127.0.0.1 that is its own authority, and its key, as PEM.
func selfSigned(t *testing.T) (chain, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "test"},
		NotAfter:              time.Now().Add(time.Hour),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})
}

// TestTLS calls over TLS, with and without a client certificate; a client without a demanded certificate gets UNAVAILABLE.
func TestTLS(t *testing.T) {
	chain, key := selfSigned(t)
	for _, c := range []struct {
		name           string
		server, client *driverpb.Tls
		want           codes.Code
	}{
		{"server", &driverpb.Tls{Chain: chain, Key: key}, &driverpb.Tls{Roots: chain}, codes.OK},
		{"mutual", &driverpb.Tls{Chain: chain, Key: key, Roots: chain}, &driverpb.Tls{Roots: chain, Chain: chain, Key: key}, codes.OK},
		{"no certificate", &driverpb.Tls{Chain: chain, Key: key, Roots: chain}, &driverpb.Tls{Roots: chain}, codes.Unavailable},
		{"plaintext", &driverpb.Tls{Chain: chain, Key: key}, nil, codes.Unavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := startPair(t, &driverpb.Serve{Options: &driverpb.Options{Tls: c.server}}, &driverpb.Options{Tls: c.client})
			id := p.next()
			p.expect(id, script(unary, receive, sendPayload(helloReply), ok))
			p.call(id, script(unary, sendPayload(helloName), receiveToEnd))
			if got := codes.Code(p.client.transcript(id).Status.Code); got != c.want {
				t.Errorf("the call ended with %v; want %v", got, c.want)
			}
		})
	}
}
