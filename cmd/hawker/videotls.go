package main

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"

	"hawker/relay/secure"
)

// checkRTMPS reports what cannot work of the encrypted video ingest.
func (s *settings) checkRTMPS() error {
	if s.RTMPSListen == "" {
		return nil
	}
	if _, _, err := net.SplitHostPort(s.RTMPSListen); err != nil {
		return fmt.Errorf("HAWKER_RTMPS_LISTEN %q: want host:port, for example 0.0.0.0:1936", s.RTMPSListen)
	}
	if s.RTMPSCert == "" || s.RTMPSKey == "" {
		return errors.New("HAWKER_RTMPS_LISTEN needs a certificate: set HAWKER_RTMPS_CERT and HAWKER_RTMPS_KEY to its files, which may be the web server's")
	}
	if _, err := secure.Load(s.RTMPSCert, s.RTMPSKey, nil); err != nil {
		return fmt.Errorf("HAWKER_RTMPS_CERT, HAWKER_RTMPS_KEY: %w", err)
	}
	return nil
}

// absolute is a file's path for a process that works elsewhere.
func absolute(file string) string {
	if full, err := filepath.Abs(file); file != "" && err == nil {
		return full
	}
	return file
}

// ingestSecure is what people put into encoders that speak RTMPS, "" when there is no such door. Its host is a name of the
// certificate where there is one that is no pattern: encoders check it.
func (h *house) ingestSecure() string {
	all := h.video.relay.Addrs()
	if h.set.RTMPSListen == "" || len(all) < 2 {
		return ""
	}
	host, port, _ := net.SplitHostPort(strings.TrimPrefix(strings.TrimSuffix(h.ingestFor(all[1]), "/live"), "rtmp://"))
	if cert, err := secure.Load(h.set.RTMPSCert, h.set.RTMPSKey, nil); err == nil {
		public := hostOf(h.public)
		for i, name := range cert.Names() {
			if !strings.Contains(name, "*") && (i == 0 || name == public) {
				host = name
			}
		}
	}
	return "rtmps://" + net.JoinHostPort(host, port) + "/live"
}
