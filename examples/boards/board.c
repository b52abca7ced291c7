/* A board in C: asks for one measured run, drives the marker, and prints the result.
 *
 * Needs libmosquitto and cJSON, and libgpiod (1 or 2) for a marker of a GPIO character device; see the Makefile beside.
 *
 *   BROKER_HOST=broker.lab.example BENCH=lab1 BOARD=board7 MARKER=gpio:/dev/gpiochip0:17 NETWORK=resnet18 ./board
 *
 * It calls `infer_batch` for each batch. A program of one's own defines that function in another file, which is linked
 * in its place: make INFER=my_inference.c
 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <mosquitto.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#ifdef GPIOD_MAJOR
#include <gpiod.h>
#endif

enum { MOST_DURATIONS = 4096 };                /* as many fit into a message */
static const int64_t LOW_NS = 200 * 1000;      /* the record must show the marker low for 60 us between batches */
static const int64_t MS = 1000 * 1000, S = 1000 * 1000 * 1000;

/* Infers exactly `batch_size` images. This one only takes its time. */
__attribute__((weak)) void infer_batch(int batch_size)
{
    (void)batch_size;
    nanosleep(&(struct timespec){.tv_nsec = 50 * MS}, NULL);
}

static int64_t now_ns(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * S + time.tv_nsec;
}

/* --- the marker: high while a batch runs ------------------------------------------------------------------------- */

struct marker {
    int fd;                 /* of sysfs or of the simulated bench */
    bool answers;           /* the simulated bench answers each edge */
#ifdef GPIOD_MAJOR
    struct gpiod_chip *chip;
    unsigned int offset;
#if GPIOD_MAJOR >= 2
    struct gpiod_line_request *request;
#else
    struct gpiod_line *line;
#endif
#endif
};

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);
    if (fd < 0)
        return false;
    bool written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    int problem = errno;
    close(fd);
    errno = problem;
    return written;
}

static bool open_sysfs(struct marker *marker, const char *number)
{
    char line[64], path[96];
    snprintf(line, sizeof line, "/sys/class/gpio/gpio%.16s", number);
    snprintf(path, sizeof path, "%s/direction", line);
    if (access(line, F_OK) != 0 && !write_file("/sys/class/gpio/export", number))
        return false;
    for (int tries = 0; access(path, W_OK) != 0 && tries < 200; tries++) /* udev gives it to its group a moment later */
        nanosleep(&(struct timespec){.tv_nsec = 10 * MS}, NULL);
    if (!write_file(path, "low")) /* an output, and low at once */
        return false;
    snprintf(path, sizeof path, "%s/value", line);
    marker->fd = open(path, O_WRONLY);
    return marker->fd >= 0;
}

static bool open_simulated(struct marker *marker, const char *address)
{
    char host[256];
    const char *colon = strrchr(address, ':');
    if (colon == NULL || (size_t)(colon - address) >= sizeof host)
        return errno = EINVAL, false;
    snprintf(host, sizeof host, "%.*s", (int)(colon - address), address);
    struct addrinfo *found, hints = {.ai_socktype = SOCK_STREAM};
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
        return errno = EHOSTUNREACH, false;
    int one = 1, fd = socket(found->ai_family, found->ai_socktype, found->ai_protocol);
    bool connected = fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) == 0;
    freeaddrinfo(found);
    if (!connected)
        return false;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = 5}, sizeof(struct timeval));
    marker->fd = fd;
    marker->answers = true;
    return true;
}

#ifdef GPIOD_MAJOR
static bool open_gpiod(struct marker *marker, const char *address)
{
    char device[128];
    const char *colon = strrchr(address, ':');
    if (colon == NULL || (size_t)(colon - address) >= sizeof device)
        return errno = EINVAL, false;
    snprintf(device, sizeof device, "%.*s", (int)(colon - address), address);
    marker->offset = (unsigned int)strtoul(colon + 1, NULL, 10);
    marker->chip = gpiod_chip_open(device);
    if (marker->chip == NULL)
        return false;
#if GPIOD_MAJOR >= 2
    struct gpiod_line_settings *settings = gpiod_line_settings_new();
    struct gpiod_line_config *config = gpiod_line_config_new();
    struct gpiod_request_config *owner = gpiod_request_config_new();
    if (settings != NULL && config != NULL && owner != NULL) {
        gpiod_line_settings_set_direction(settings, GPIOD_LINE_DIRECTION_OUTPUT);
        gpiod_line_settings_set_output_value(settings, GPIOD_LINE_VALUE_INACTIVE);
        gpiod_request_config_set_consumer(owner, "joulebench-marker");
        if (gpiod_line_config_add_line_settings(config, &marker->offset, 1, settings) == 0)
            marker->request = gpiod_chip_request_lines(marker->chip, owner, config);
    }
    int problem = errno;
    gpiod_line_settings_free(settings);
    gpiod_line_config_free(config);
    gpiod_request_config_free(owner);
    errno = problem;
    return marker->request != NULL;
#else
    marker->line = gpiod_chip_get_line(marker->chip, marker->offset);
    return marker->line != NULL && gpiod_line_request_output(marker->line, "joulebench-marker", 0) == 0;
#endif
}
#endif

static bool open_marker(struct marker *marker, const char *url)
{
    *marker = (struct marker){.fd = -1};
    if (strncmp(url, "sysfs:", 6) == 0)
        return open_sysfs(marker, url + 6);
    if (strncmp(url, "tcp://", 6) == 0)
        return open_simulated(marker, url + 6);
#ifdef GPIOD_MAJOR
    if (strncmp(url, "gpio:", 5) == 0)
        return open_gpiod(marker, url + 5);
#endif
    return errno = EPROTONOSUPPORT, false;
}

static bool set_marker(struct marker *marker, bool level)
{
#ifdef GPIOD_MAJOR
    if (marker->chip != NULL) {
#if GPIOD_MAJOR >= 2
        enum gpiod_line_value value = level ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE;
        return gpiod_line_request_set_value(marker->request, marker->offset, value) == 0;
#else
        return gpiod_line_set_value(marker->line, level) == 0;
#endif
    }
#endif
    if (!marker->answers)
        return pwrite(marker->fd, level ? "1" : "0", 1, 0) == 1;
    char answer[4] = "";
    if (send(marker->fd, level ? "1\n" : "0\n", 2, MSG_NOSIGNAL) != 2)
        return false;
    ssize_t got = recv(marker->fd, answer, 3, MSG_WAITALL);
    if (got == 3 && memcmp(answer, "ok\n", 3) != 0)
        errno = EPROTO;
    return got == 3 && memcmp(answer, "ok\n", 3) == 0;
}

static void close_marker(struct marker *marker)
{
    set_marker(marker, false);
#ifdef GPIOD_MAJOR
    if (marker->chip != NULL) {
#if GPIOD_MAJOR >= 2
        gpiod_line_request_release(marker->request);
#endif
        gpiod_chip_close(marker->chip);
        return;
    }
#endif
    close(marker->fd);
}

/* --- the run --------------------------------------------------------------------------------------------------- */

struct settings {
    const char *host, *user, *password, *ca, *cert, *key, *bench, *board, *marker, *network, *run_id;
    int port, batch_size, batches, timeout_s;
};

/* What the thread of the connection writes and the program reads; `lock` guards all of it. */
struct run {
    const struct settings *settings;
    struct mosquitto *client;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char *daemon_state, *state, *why, *result; /* NULL: not said yet */
    char problem[256];                         /* of the connection; empty: none */
    bool asked, finished;
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

static void topic_of(const struct run *run, char topic[512], const char *name)
{
    const struct settings *of = run->settings;
    if (strcmp(name, "status") == 0)
        snprintf(topic, 512, "joulebench/v1/%s/status", of->bench);
    else if (strcmp(name, "state") == 0 || strcmp(name, "result") == 0)
        snprintf(topic, 512, "joulebench/v1/%s/runs/%s/%s", of->bench, of->run_id, name);
    else
        snprintf(topic, 512, "joulebench/v1/%s/boards/%s/runs/%s/%s", of->bench, of->board, of->run_id, name);
}

/* Publishes a message and frees it. */
static void publish(struct run *run, const char *name, cJSON *message)
{
    char topic[512], *text;
    topic_of(run, topic, name);
    cJSON_AddNumberToObject(message, "v", 1);
    text = cJSON_PrintUnformatted(message);
    cJSON_Delete(message);
    if (text == NULL) {
        fprintf(stderr, "board: no memory for %s\n", name);
        return;
    }
    int problem = mosquitto_publish(run->client, NULL, topic, (int)strlen(text), text, 1, false);
    if (problem != MOSQ_ERR_SUCCESS && problem != MOSQ_ERR_NO_CONN) /* without a connection it is sent later */
        fprintf(stderr, "board: cannot publish %s: %s\n", name, mosquitto_strerror(problem));
    cJSON_free(text);
}

/* Nanoseconds as the digits that they are: a double would round them. */
static void add_ns(cJSON *message, const char *name, int64_t value_ns)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value_ns);
    cJSON_AddRawToObject(message, name, text);
}

static void publish_request(struct run *run)
{
    const struct settings *of = run->settings;
    cJSON *message = cJSON_CreateObject(), *sync = cJSON_AddArrayToObject(message, "sync");
    cJSON_AddStringToObject(message, "network", of->network);
    cJSON_AddNumberToObject(message, "batch_size", of->batch_size);
    cJSON_AddNumberToObject(message, "images_planned", (double)of->batches * of->batch_size);
    cJSON_AddItemToArray(sync, cJSON_CreateString("marker"));
    publish(run, "request", message);
}

static void on_connect(struct mosquitto *client, void *data, int code)
{
    struct run *run = data;
    static const char *const names[] = {"state", "result", "status"}; /* the status last: it is retained */
    char topic[512];
    pthread_mutex_lock(&run->lock);
    if (code != 0)
        snprintf(run->problem, sizeof run->problem, "the broker refuses: %s", mosquitto_connack_string(code));
    bool ask_again = code == 0 && run->asked; /* the answer says where the run stands by now */
    pthread_cond_broadcast(&run->changed);
    pthread_mutex_unlock(&run->lock);
    for (size_t k = 0; code == 0 && k < sizeof names / sizeof *names; k++) {
        topic_of(run, topic, names[k]);
        mosquitto_subscribe(client, NULL, topic, 1);
    }
    if (ask_again)
        publish_request(run);
}

static void keep(char **place, const cJSON *message, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(message, name));
    if (text != NULL) {
        free(*place);
        *place = strdup(text);
    }
}

static bool over(const struct run *run)
{
    static const char *const ends[] = {"done", "rejected", "failed", "interrupted"};
    for (size_t k = 0; run->state != NULL && k < sizeof ends / sizeof *ends; k++)
        if (strcmp(run->state, ends[k]) == 0)
            return true;
    return false;
}

static void on_message(struct mosquitto *client, void *data, const struct mosquitto_message *message)
{
    (void)client;
    struct run *run = data;
    char topic[512];
    cJSON *content = cJSON_ParseWithLength(message->payload, (size_t)message->payloadlen);
    if (content == NULL)
        return; /* a retained message was cleared, or somebody else's text */
    pthread_mutex_lock(&run->lock);
    topic_of(run, topic, "status");
    if (strcmp(message->topic, topic) == 0)
        keep(&run->daemon_state, content, "state");
    topic_of(run, topic, "state");
    if (strcmp(message->topic, topic) == 0 && !over(run)) {
        keep(&run->why, content, "reason");
        keep(&run->why, content, "text");
        keep(&run->state, content, "state");
    }
    topic_of(run, topic, "result");
    if (strcmp(message->topic, topic) == 0 && run->result == NULL)
        run->result = strndup(message->payload, (size_t)message->payloadlen);
    pthread_cond_broadcast(&run->changed);
    pthread_mutex_unlock(&run->lock);
    cJSON_Delete(content);
}

static bool daemon_spoke(const struct run *run) { return run->daemon_state != NULL || run->problem[0] != '\0'; }
static bool decided(const struct run *run) { return run->state != NULL && strcmp(run->state, "accepted") != 0; }
static bool measured(const struct run *run) { return over(run) && (run->result != NULL || strcmp(run->state, "done")); }

/* Waits until something holds; returns whether it does within the time, and before the program is told to stop. */
static bool wait_until(struct run *run, bool (*holds)(const struct run *), int timeout_s)
{
    int64_t end_ns = now_ns(CLOCK_MONOTONIC) + timeout_s * S;
    pthread_mutex_lock(&run->lock);
    bool reached;
    while (!(reached = holds(run)) && !stopped && now_ns(CLOCK_MONOTONIC) < end_ns) {
        int64_t next_ns = now_ns(CLOCK_MONOTONIC) + 100 * MS; /* a signal does not wake a condition */
        struct timespec until = {.tv_sec = next_ns / S, .tv_nsec = next_ns % S};
        pthread_cond_timedwait(&run->changed, &run->lock, &until);
    }
    pthread_mutex_unlock(&run->lock);
    return reached;
}

static bool is_state(struct run *run, const char *state)
{
    pthread_mutex_lock(&run->lock);
    bool is = run->state != NULL && strcmp(run->state, state) == 0;
    pthread_mutex_unlock(&run->lock);
    return is;
}

/* Tells the daemon, so that the bench is free at once, and the user. */
static int give_up(struct run *run, const char *reason, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "board: %s\n", text);
    if (run->asked && !run->finished) { /* after `finished` the daemon has all it needs */
        cJSON *message = cJSON_CreateObject();
        cJSON_AddStringToObject(message, "reason", reason);
        cJSON_AddStringToObject(message, "text", text);
        publish(run, "abort", message);
        for (int tries = 0; mosquitto_want_write(run->client) && tries < 100; tries++)
            nanosleep(&(struct timespec){.tv_nsec = 10 * MS}, NULL);
    }
    return 1;
}

static int give_up_waiting(struct run *run, const char *awaited)
{
    if (stopped)
        return give_up(run, "agent_stopped", "the board's program was stopped during the run");
    return give_up(run, "daemon_silent", "the daemon did not say %s within %d s", awaited, run->settings->timeout_s);
}

static int ended_badly(struct run *run)
{
    fprintf(stderr, "board: run %s: %s: %s\n", run->settings->run_id, run->state, run->why ? run->why : "no reason");
    return 1;
}

static int by_size(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static int64_t largest(int64_t a, int64_t b, int64_t c) { return a > b ? (a > c ? a : c) : (b > c ? b : c); }

/* Runs the batches and publishes `finished`; returns 0, or 1 where the run was given up. */
static int run_batches(struct run *run, struct marker *marker)
{
    const struct settings *of = run->settings;
    int64_t *durations_ns = calloc((size_t)of->batches, sizeof *durations_ns), first_ns = 0, end_ns = 0, bound_ns = 0;
    if (durations_ns == NULL)
        return give_up(run, "workload_failed", "no memory for %d batches", of->batches);
    cJSON *message = cJSON_CreateObject();
    add_ns(message, "started_utc_ns", now_ns(CLOCK_REALTIME));
    add_ns(message, "started_monotonic_ns", now_ns(CLOCK_MONOTONIC));
    publish(run, "started", message);
    int done = 0;
    for (; done < of->batches && !stopped && is_state(run, "armed"); done++) {
        int64_t before_ns = now_ns(CLOCK_MONOTONIC);
        if (!set_marker(marker, true))
            break;
        int64_t start_ns = now_ns(CLOCK_MONOTONIC);
        infer_batch(of->batch_size);
        int64_t inferred_ns = now_ns(CLOCK_MONOTONIC);
        if (!set_marker(marker, false))
            break;
        end_ns = now_ns(CLOCK_MONOTONIC);
        first_ns = done == 0 ? start_ns : first_ns;
        durations_ns[done] = end_ns - start_ns;
        bound_ns = largest(bound_ns, start_ns - before_ns, end_ns - inferred_ns);
        nanosleep(&(struct timespec){.tv_nsec = LOW_NS}, NULL);
    }
    int failed = 0;
    if (stopped)
        failed = give_up(run, "agent_stopped", "the board's program was stopped during the run");
    else if (done < of->batches && is_state(run, "armed"))
        failed = give_up(run, "marker_failed", "the marker did not take a level: %s", strerror(errno));
    else if (done == 0)
        failed = ended_badly(run);
    if (failed == 0) {
        message = cJSON_CreateObject();
        cJSON *array = cJSON_AddArrayToObject(message, "batch_durations_ns");
        for (int k = 0; k < done && k < MOST_DURATIONS; k++)
            cJSON_AddItemToArray(array, cJSON_CreateNumber((double)durations_ns[k])); /* below 2^53: exact */
        qsort(durations_ns, (size_t)done, sizeof *durations_ns, by_size);
        add_ns(message, "finished_utc_ns", now_ns(CLOCK_REALTIME));
        add_ns(message, "started_monotonic_ns", first_ns);
        add_ns(message, "finished_monotonic_ns", end_ns);
        add_ns(message, "batch_duration_median_ns", durations_ns[done / 2]);
        add_ns(message, "batch_stamp_bound_ns", bound_ns);
        cJSON_AddNumberToObject(message, "images", (double)done * of->batch_size);
        cJSON_AddNumberToObject(message, "batches", done);
        publish(run, "finished", message);
        run->finished = true;
    }
    free(durations_ns);
    return failed;
}

static int perform(struct run *run, struct marker *marker)
{
    const struct settings *of = run->settings;
    /* The status is retained: once it has come, the subscription stands, and nothing that is said later is missed. */
    if (!wait_until(run, daemon_spoke, of->timeout_s < 5 ? of->timeout_s : 5))
        return give_up(run, "daemon_silent", "no daemon has ever been on bench %s", of->bench);
    if (run->problem[0] != '\0')
        return give_up(run, "broker_unavailable", "%s", run->problem);
    if (strcmp(run->daemon_state, "online") != 0)
        return give_up(run, "daemon_silent", "the daemon of bench %s is not online", of->bench);
    pthread_mutex_lock(&run->lock);
    run->asked = true;
    pthread_mutex_unlock(&run->lock);
    publish_request(run);
    if (!wait_until(run, decided, of->timeout_s))
        return give_up_waiting(run, "armed");
    if (is_state(run, "armed") && run_batches(run, marker) != 0)
        return 1;
    if (!wait_until(run, measured, of->timeout_s))
        return give_up_waiting(run, "done");
    if (!is_state(run, "done"))
        return ended_badly(run);
    printf("%s\n", run->result);
    return 0;
}

/* --- the program ----------------------------------------------------------------------------------------------- */

static const char *text_of(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : otherwise;
}

static int number_of(const char *name, const char *otherwise, long most)
{
    const char *text = text_of(name, otherwise);
    char *end;
    long number = strtol(text, &end, 10);
    if (*end != '\0' || number < 1 || number > most) {
        fprintf(stderr, "board: %s=%s: want a whole number from 1 to %ld\n", name, text, most);
        exit(2);
    }
    return (int)number;
}

static const char *new_run_id(void)
{
    static char name[64];
    snprintf(name, sizeof name, "c-%ld-%" PRId64, (long)getpid(), now_ns(CLOCK_REALTIME) / 1000);
    return name;
}

/* Connects, encrypted where there is an authority to believe, and starts the connection's thread. */
static bool connect_broker(struct run *run)
{
    const struct settings *of = run->settings;
    if (of->user != NULL)
        mosquitto_username_pw_set(run->client, of->user, of->password);
    if (of->ca != NULL && mosquitto_tls_set(run->client, of->ca, NULL, of->cert, of->key, NULL) != MOSQ_ERR_SUCCESS) {
        fprintf(stderr, "board: BROKER_CA, BROKER_CERT, BROKER_KEY: a file cannot be read, or one lacks the other\n");
        return false;
    }
    int problem = mosquitto_connect(run->client, of->host, of->port, 60);
    if (problem == MOSQ_ERR_SUCCESS)
        problem = mosquitto_loop_start(run->client);
    if (problem != MOSQ_ERR_SUCCESS)
        fprintf(stderr, "board: no broker at %s:%d: %s\n", of->host, of->port,
                problem == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(problem));
    return problem == MOSQ_ERR_SUCCESS;
}

int main(void)
{
    struct settings settings = {
        .host = text_of("BROKER_HOST", "127.0.0.1"), .port = number_of("BROKER_PORT", "1883", 65535),
        .user = text_of("BROKER_USER", NULL), .password = text_of("BROKER_PASSWORD", NULL),
        .ca = text_of("BROKER_CA", NULL), .cert = text_of("BROKER_CERT", NULL), .key = text_of("BROKER_KEY", NULL),
        .bench = text_of("BENCH", "lab1"), .board = text_of("BOARD", "c"), .marker = text_of("MARKER", ""),
        .network = text_of("NETWORK", "resnet18"), .batch_size = number_of("BATCH_SIZE", "1", 65536),
        .batches = number_of("BATCHES", "20", 1000000), .timeout_s = number_of("TIMEOUT_S", "60", 86400),
        .run_id = text_of("RUN_ID", new_run_id()),
    };
    struct marker marker;
    if (!open_marker(&marker, settings.marker)) {
        fprintf(stderr, "board: MARKER=%s: %s; want gpio:DEVICE:LINE (built with libgpiod), sysfs:NUMBER or "
                        "tcp://HOST:PORT\n", settings.marker, strerror(errno));
        return 1;
    }
    struct run run = {.settings = &settings, .lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_condattr_t steady; /* waits must not depend on a clock that can be set */
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&run.changed, &steady);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    mosquitto_lib_init();
    run.client = mosquitto_new(NULL, true, &run);
    int status = 1;
    if (run.client != NULL) {
        mosquitto_connect_callback_set(run.client, on_connect);
        mosquitto_message_callback_set(run.client, on_message);
        bool connected = connect_broker(&run);
        if (connected)
            status = perform(&run, &marker);
        mosquitto_disconnect(run.client);
        if (connected)
            mosquitto_loop_stop(run.client, false);
        mosquitto_destroy(run.client);
    }
    mosquitto_lib_cleanup();
    close_marker(&marker);
    free(run.daemon_state), free(run.state), free(run.why), free(run.result);
    return status;
}
