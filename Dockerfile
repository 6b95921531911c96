# Trapline in a container: docker build -t trapline . && docker run --rm trapline --help
FROM eclipse-temurin:25 AS build
WORKDIR /src
COPY . .
RUN ./mvnw -B -q -Dquick package -pl cli -am

FROM eclipse-temurin:25
# /data is where commands run: the embedded log, files to import, reports.
RUN useradd --user-group --uid 10001 --home-dir /data --no-create-home trapline \
    && install -d -o trapline -g trapline /data
COPY --from=build /src/cli/target/dist /opt/trapline
RUN ln -s /opt/trapline/trapline /usr/local/bin/trapline
USER trapline
WORKDIR /data
VOLUME /data
HEALTHCHECK --interval=30s --timeout=10s CMD ["trapline", "--version"]
ENTRYPOINT ["trapline"]
CMD ["--help"]
