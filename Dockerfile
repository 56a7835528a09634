# One static binary on an empty base. The data folder is a volume; it holds the database, the sealing key and recordings.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=devel
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.release=$VERSION" -o /out/hawker ./cmd/hawker \
 && mkdir -p /out/data /out/tmp && chmod 1777 /out/tmp

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/hawker /hawker
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build /out/tmp /tmp
ENV HAWKER_DATA=/data HAWKER_LISTEN=0.0.0.0:8080 HAWKER_RTMP_LISTEN=0.0.0.0:1935
USER 65532:65532
VOLUME /data
EXPOSE 8080 1935
ENTRYPOINT ["/hawker"]
CMD ["serve"]
