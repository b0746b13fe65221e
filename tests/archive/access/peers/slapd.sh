#!/bin/sh
# slapd.sh FOLDER: prepares a directory for the tests in FOLDER: certificates, slapd.conf, an empty database.
# The users are added by users.ldif once it runs, so that the overlay writes memberOf.
set -eu
cd "$1"
mkdir -p db
authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$1" \
    -addext basicConstraints=critical,CA:TRUE -keyout "$1.key" -out "$1.pem"
}
authority ca
authority other-ca
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -keyout server.key -out server.csr
printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' > server.ext
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile server.ext -out server.pem
cat > slapd.conf <<EOC
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
pidfile $1/slapd.pid
argsfile $1/slapd.args
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
TLSCACertificateFile $1/ca.pem
TLSCertificateFile $1/server.pem
TLSCertificateKeyFile $1/server.key
database mdb
maxsize 16777216
suffix "dc=lab,dc=local"
rootdn "cn=admin,dc=lab,dc=local"
rootpw secret
directory $1/db
index objectClass,uid,member eq
access to attrs=userPassword by anonymous auth by * none
access to * by users read by anonymous auth
overlay memberof
EOC
