#!/usr/bin/env bash
# Builds the sample and drives three instances of it: drive.sh [postgres] [stay]. With "postgres" the database is a
# server of its own (Debian: apt-get install postgresql), with "stay" they stay open until return is pressed.
set -euo pipefail
cd "$(dirname "$0")/.."
mvn -q -B -pl sample -am package -DskipTests -Dcachemesh.targets=host
jar=$(ls sample/target/cachemesh-sample-*-app.jar)
exec java -cp "$jar" -Dloader.main=io.github.praveenduddu.cachemesh.sample.drive.Drive org.springframework.boot.loader.launch.PropertiesLauncher "$jar" "$@"
