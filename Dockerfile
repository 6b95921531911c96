# Trapline in a container: docker build -t trapline . && docker run --rm trapline --help
FROM eclipse-temurin:25 AS build
WORKDIR /src
COPY . .
RUN ./mvnw -B -q -Dquick package -pl cli -am

FROM eclipse-temurin:25
# /data is where commands run: the embedded log, files to import, reports. /keys is for the page's, which openssl makes.
RUN apt-get update && apt-get install -y --no-install-recommends openssl && rm -rf /var/lib/apt/lists/* \
    && useradd --user-group --uid 10001 --home-dir /data --no-create-home trapline \
    && install -d -o trapline -g trapline /data /keys
COPY --from=build /src/cli/target/dist /opt/trapline
RUN ln -s /opt/trapline/trapline /usr/local/bin/trapline
USER trapline
WORKDIR /data
VOLUME /data
ENTRYPOINT ["trapline"]
CMD ["--help"]
