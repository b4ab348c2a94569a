package play

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/encoding/gzip" // without it callers that compress get UNIMPLEMENTED
	"google.golang.org/grpc/keepalive"

	"grpc-interop/go_impl/internal/contract/driverpb"
)

// minPingInterval is the shortest interval at which a server lets clients ping. With grpc-go's default of 5 minutes, the
// server would answer a script's keepalive with GOAWAY.
const minPingInterval = time.Millisecond

// dial opens a channel. It does not wait until it is connected.
func dial(order *driverpb.Dial) (*grpc.ClientConn, error) {
	var options []grpc.DialOption
	var calls []grpc.CallOption
	given := order.Options
	if given != nil && given.MaxReceiveBytes != nil {
		calls = append(calls, grpc.MaxCallRecvMsgSize(int(given.GetMaxReceiveBytes())))
	}
	if name := given.GetCompression(); name != "" {
		calls = append(calls, grpc.UseCompressor(name))
	}
	secrets, err := clientCredentials(given.GetTls())
	if err != nil {
		return nil, err
	}
	options = append(options, grpc.WithTransportCredentials(secrets), grpc.WithDefaultCallOptions(calls...), grpc.WithNoProxy())
	if pings := given.GetKeepalive(); pings != nil {
		options = append(options, grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: milliseconds(pings.TimeMs), Timeout: milliseconds(pings.TimeoutMs),
		}))
	}
	if config := given.GetServiceConfig(); config != "" {
		options = append(options, grpc.WithDefaultServiceConfig(config))
	}
	// passthrough: the target is an address already, there is nothing to resolve.
	return grpc.NewClient("passthrough:///"+order.Target, options...)
}

func serverOptions(given *driverpb.Options) ([]grpc.ServerOption, error) {
	var options []grpc.ServerOption
	if given != nil && given.MaxReceiveBytes != nil {
		options = append(options, grpc.MaxRecvMsgSize(int(given.GetMaxReceiveBytes())))
	}
	if given.GetTls() != nil {
		secrets, err := serverCredentials(given.Tls)
		if err != nil {
			return nil, err
		}
		options = append(options, grpc.Creds(secrets))
	}
	if pings := given.GetKeepalive(); pings != nil {
		options = append(options,
			grpc.KeepaliveParams(keepalive.ServerParameters{Time: milliseconds(pings.TimeMs), Timeout: milliseconds(pings.TimeoutMs)}),
			grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minPingInterval, PermitWithoutStream: true}))
	}
	if given.GetServiceConfig() != "" {
		return nil, errors.New("a service config is for channels; this is a server")
	}
	return options, nil
}

func milliseconds(n uint32) time.Duration { return time.Duration(n) * time.Millisecond }

func clientCredentials(given *driverpb.Tls) (credentials.TransportCredentials, error) {
	if given == nil {
		return insecure.NewCredentials(), nil
	}
	config := new(tls.Config)
	if len(given.Roots) > 0 {
		roots, err := certificatePool(given.Roots)
		if err != nil {
			return nil, err
		}
		config.RootCAs = roots
	}
	if len(given.Chain) > 0 {
		pair, err := tls.X509KeyPair(given.Chain, given.Key)
		if err != nil {
			return nil, fmt.Errorf("certificate chain and key of the client: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return credentials.NewTLS(config), nil
}

func serverCredentials(given *driverpb.Tls) (credentials.TransportCredentials, error) {
	pair, err := tls.X509KeyPair(given.Chain, given.Key)
	if err != nil {
		return nil, fmt.Errorf("certificate chain and key of the server: %w", err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}}
	if len(given.Roots) > 0 {
		if config.ClientCAs, err = certificatePool(given.Roots); err != nil {
			return nil, err
		}
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return credentials.NewTLS(config), nil
}

func certificatePool(pem []byte) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("the roots hold no PEM certificate")
	}
	return pool, nil
}
