/* SPDX-License-Identifier: Apache-2.0 */
#include "build_image.h"

#include "../check.h"
#include "engine.h"

#include <string.h>

/*
 * The network of DESIGN.md, "One event, from a pixel to a spike": runs it and prints the blocks of
 * that section, every number read from the engine, the image or the arena. tests/check_design
 * compares them with the page.
 */

enum { LINES = 4, COLUMNS = 4, POLARITIES = 2, NEURONS = 4, SCORES = 2, THRESHOLD = 70 };
/** The pixel that the page follows, and one at the edge; both lie in line 1. */
enum { PIXEL = 6, EDGE = 4 };

static const struct image_spec spec = {
    .name = "design",
    .block = 1,
    .steps = 2,
    .port_count = 1,
    .layer_count = 2,
    .projection_count = 2,
    .ports = {{POLARITIES, LINES, COLUMNS, SNN_PORT_EVENTS, 0, 0, 0}},
    .layers = {{.channels = NEURONS,
                .height = LINES,
                .width = COLUMNS,
                .threshold = THRESHOLD,
                .leak = 24576},
               {.channels = SCORES, .height = 1, .width = 1, .leak = NO_LEAK}},
    .projections = {{.target = 0,
                     .from_port = 1,
                     .pool = 1,
                     .stride = 1,
                     .padding = 1,
                     .kernel_height = 3,
                     .kernel_width = 3},
                    {.target = 1, .pool = 1}},
};

/* ---- The network ---- */

static uint8_t *row_bytes_of(struct snn_image *image, uint32_t projection, uint32_t row)
{
    const struct snn_image_projection *p = snn_projections(image) + projection;
    return (uint8_t *)image + p->weights + row * p->row_bytes;
}

/** Gives a row the weights that the page names, in the place of the formula's. */
static void set_row(struct snn_image *image, uint32_t projection, uint32_t row,
                    const int8_t *weights, uint32_t count)
{
    static const uint8_t place_of[4] = {0, 2, 1, 3};
    const struct snn_image_projection *p = snn_projections(image) + projection;
    uint16_t *synapses = (uint16_t *)(void *)((uint8_t *)image + p->synapses);
    synapses[row] = 0;
    for (uint32_t column = 0; column < count; column++) {
        row_bytes_of(image, projection, row)[place_of[column]] = (uint8_t)(weights[column] + 128);
        synapses[row] = (uint16_t)(synapses[row] + (weights[column] != 0));
    }
}

static struct snn_image *build(size_t *size)
{
    static const int8_t row0[NEURONS] = {9, -20, 31, 0}, row11[NEURONS] = {40, -3, 5, 17},
                        row15[NEURONS] = {12, 6, -40, -8}, row24[SCORES] = {3, -2};
    struct snn_image *image = image_build(&spec, size);
    set_row(image, 0, 0, row0, NEURONS);
    set_row(image, 0, 11, row11, NEURONS);
    set_row(image, 0, 15, row15, NEURONS);
    set_row(image, 1, 24, row24, SCORES);
    int16_t *threshold = (int16_t *)(void *)((uint8_t *)image + snn_layers(image)->threshold);
    for (uint32_t lane = 0; lane < NEURONS; lane++) {
        threshold[lane] = THRESHOLD;
    }
    image_seal(image, *size);
    CHECK_EQUAL(snn_image_check(image, *size), SNN_OK);
    return image;
}

/* ---- What the engine shows ---- */

/** Of one projection, the rows that the engine added last; of the page's pixel, its neurons. */
struct witness {
    const struct snn_device *network;
    uint16_t rows[2][SNN_GATHER];
    uint32_t row_count[2];
    uint16_t pixel_rows[SNN_GATHER]; /**< of the page's pixel in the last step */
    uint32_t pixel_row_count;
    uint32_t sums[NEURONS / 2];
    int16_t membrane[2][NEURONS]; /**< by step */
    uint32_t spikes;
    uint32_t fired; /**< spikes of all pixels in both steps */
};

static void on_layer(void *context, uint32_t layer)
{
    struct witness *witness = context;
    if (layer < spec.layer_count) {
        witness->row_count[layer] = 0;
    }
}

static void on_rows(void *context, uint32_t projection, const uint16_t *rows, const int16_t *values,
                    uint32_t count)
{
    struct witness *witness = context;
    CHECK(values == NULL && projection < 2);
    memcpy(witness->rows[projection], rows, count * sizeof *rows);
    witness->row_count[projection] = count;
}

static void on_neurons(void *context, uint32_t layer, uint32_t step, uint32_t pixel,
                       const void *membrane, const uint32_t *spikes)
{
    struct witness *witness = context;
    if (layer != 0) {
        return;
    }
    witness->fired += snn_count_bits(*spikes);
    if (pixel == PIXEL) {
        memcpy(witness->membrane[step], membrane, sizeof witness->membrane[step]);
        memcpy(witness->sums, snn_in_arena(witness->network, witness->network->image->sums),
               sizeof witness->sums);
        witness->spikes = *spikes;
        memcpy(witness->pixel_rows, witness->rows[0], sizeof witness->pixel_rows);
        witness->pixel_row_count = witness->row_count[0];
    }
    witness->row_count[0] = 0;
}

static struct snn_window window_of_pixel(struct snn_device *network, uint32_t projection,
                                         uint32_t pixel)
{
    const struct snn_pixel at = {
        .network = network, .y = pixel / COLUMNS, .x = pixel % COLUMNS, .index = pixel};
    struct snn_gather gather = {.pixel = &at,
                                .projection = snn_projections(network->image) + projection};
    snn_find_window(&gather);
    return gather.window;
}

/* ---- The blocks ---- */

static void print_map(const uint32_t *map)
{
    printf("events of step 1:");
    for (uint32_t bit = 0; bit < 32; bit++) {
        if ((map[0] >> bit & 1) != 0) {
            printf(" %u", (unsigned)bit);
        }
    }
    printf("; the map's word: 0x%08X\n\n          ", (unsigned)map[0]);
    for (uint32_t x = 0; x < COLUMNS; x++) {
        printf("  column %u", (unsigned)x);
    }
    for (uint32_t y = 0; y < LINES; y++) {
        printf("\n  line %u  ", (unsigned)y);
        for (uint32_t x = 0; x < COLUMNS; x++) {
            const uint32_t bit = (y * COLUMNS + x) * POLARITIES;
            printf("     %c%c   ", (map[0] >> bit & 1) != 0 ? 'X' : '.',
                   (map[0] >> (bit + 1) & 1) != 0 ? 'X' : '.');
        }
        printf("   bits %2u ... %2u", (unsigned)(y * COLUMNS * POLARITIES),
               (unsigned)((y + 1) * COLUMNS * POLARITIES - 1));
    }
    printf("\n");
}

static void print_window(const struct snn_window *window, uint32_t pixel, const uint32_t *map)
{
    printf("pixel %u: %u lines of %u bits, the first from bit %u, %u bits from line to line\n\n",
           (unsigned)pixel, (unsigned)window->lines, (unsigned)window->count,
           (unsigned)window->from, (unsigned)window->line);
    for (uint32_t i = 0; i < window->lines; i++) {
        const uint32_t from = window->from + i * window->line,
                       row = window->row + i * window->row_step;
        printf("  line %u    bits %2u ... %2u    rows %2u ... %2u", (unsigned)i, (unsigned)from,
               (unsigned)(from + window->count - 1), (unsigned)row,
               (unsigned)(row + window->count - 1));
        for (uint32_t place = 0; map != NULL && place < window->count; place++) {
            if ((map[0] >> (from + place) & 1) != 0) {
                printf("    bit %2u: row %2u", (unsigned)(from + place), (unsigned)(row + place));
            }
        }
        printf("\n");
    }
}

static uint32_t low_and_high(const uint8_t *row, uint32_t skip)
{
    uint32_t word;
    memcpy(&word, row, sizeof word);
    return word >> skip & 0x00FF00FFu;
}

static void print_row(struct snn_image *image, uint32_t row)
{
    static const uint8_t column_of[4] = {0, 2, 1, 3};
    const uint8_t *bytes = row_bytes_of(image, 0, row);
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    printf("row %u       neuron 0   neuron 2   neuron 1   neuron 3   no neuron\n  weight ",
           (unsigned)row);
    for (uint32_t i = 0; i < 4; i++) {
        CHECK_EQUAL(column_of[column_of[i]], i);
        printf("  %9d", (int)bytes[i] - 128);
    }
    printf("   0 0 0 0\n  byte   ");
    for (uint32_t i = 0; i < 8; i++) {
        printf(i < 4 ? "  %9u" : i == 4 ? "   %u" : " %u", (unsigned)bytes[i]);
    }
    printf("\n\n  first word                    0x%08X\n", (unsigned)word);
    for (uint32_t skip = 0; skip <= 8; skip += 8) {
        const uint32_t pair = low_and_high(bytes, skip);
        printf("  %-28s  0x%08X    neuron %u: %u, neuron %u: %u\n",
               skip == 0 ? "and 0x00FF00FF" : "8 bits down, and 0x00FF00FF", (unsigned)pair,
               skip == 0 ? 0 : 2, (unsigned)(pair & 0xFFFFu), skip == 0 ? 1 : 3,
               (unsigned)(pair >> 16));
    }
}

/** The additions of snn_add_rows_8, one after the other, up to what the arena held. */
static void print_sums(struct snn_image *image, const struct witness *witness)
{
    uint32_t pair[2];
    pair[0] = pair[1] = 0u - witness->pixel_row_count * 128 * UINT32_C(0x00010001);
    printf("                    neurons 1 and 0   neurons 3 and 2\n");
    printf("  minus %u times 128      0x%08X        0x%08X\n", (unsigned)witness->pixel_row_count,
           (unsigned)pair[0], (unsigned)pair[1]);
    for (uint32_t i = 0; i < witness->pixel_row_count; i++) {
        const uint8_t *row = row_bytes_of(image, 0, witness->pixel_rows[i]);
        pair[0] += low_and_high(row, 0);
        pair[1] += low_and_high(row, 8);
        printf("  plus row %2u           0x%08X        0x%08X\n", (unsigned)witness->pixel_rows[i],
               (unsigned)pair[0], (unsigned)pair[1]);
    }
    for (uint32_t i = 0; i < 2; i++) {
        pair[i] += SNN_SUM_ZERO * UINT32_C(0x00010001);
        CHECK_EQUAL(pair[i], witness->sums[i]);
    }
    printf("  plus 0x80008000       0x%08X        0x%08X\n", (unsigned)pair[0], (unsigned)pair[1]);
}

static void print_numbers(const char *name, const int32_t *numbers, const char *why)
{
    printf("  %-10s", name);
    for (uint32_t i = 0; i < NEURONS; i++) {
        printf("%6d", (int)numbers[i]);
    }
    printf("    %s\n", why);
}

static void print_neurons(const struct snn_image *image, const struct witness *witness)
{
    const struct snn_image_layer *layer = snn_layers(image);
    const uint32_t *decay = (const uint32_t *)snn_in_image(image, layer->decay);
    int32_t before[NEURONS], leaked[NEURONS], sum[NEURONS], all[NEURONS], spike[NEURONS],
        after[NEURONS];
    for (uint32_t i = 0; i < NEURONS; i++) {
        before[i] = witness->membrane[0][i];
        leaked[i] = snn_leaked(before[i], decay[i]);
        sum[i] = snn_finished_sum(layer, witness->sums, i);
        all[i] = leaked[i] + sum[i];
        spike[i] = (int32_t)(witness->spikes >> i & 1);
        after[i] = witness->membrane[1][i];
        CHECK_EQUAL(spike[i], all[i] >= THRESHOLD);
        CHECK_EQUAL(after[i], all[i] - spike[i] * THRESHOLD);
    }
    printf("  neuron         0     1     2     3\n");
    print_numbers("membrane", before, "after step 0");
    print_numbers("leaked", leaked, "times 24576 / 32768, rounded toward 0");
    print_numbers("sum", sum, "the halves less 0x8000");
    print_numbers("together", all, "leaked and sum");
    print_numbers("spike", spike, "where leaked and sum reach 70");
    print_numbers("membrane", after, "less 70 where the neuron fired");
}

static void print_answer(struct snn_device *network, const struct witness *witness)
{
    const struct snn_image_layer *layer = snn_layers(network->image);
    const uint32_t *map = (const uint32_t *)snn_in_arena(network, layer->map);
    const int32_t *scores = snn_device_scores(network, NULL);
    const struct snn_window window = window_of_pixel(network, 1, 0);
    CHECK_EQUAL(witness->row_count[1], 1);
    printf("the layer's map: 0x%08X 0x%08X\n", (unsigned)map[0], (unsigned)map[1]);
    printf("the read-out's window: %u lines of %u bits; row %u; scores %d and %d\n",
           (unsigned)window.lines, (unsigned)window.count, (unsigned)witness->rows[1][0],
           (int)scores[0], (int)scores[1]);
}

/* ---- The run ---- */

static void run_step(struct snn_device *network, const uint8_t *events, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        CHECK(snn_device_event(network, 0, events[i]));
    }
    if (network->steps == 1) {
        print_map((const uint32_t *)snn_in_arena(network, snn_ports(network->image)->map));
        const struct snn_window window = window_of_pixel(network, 0, PIXEL);
        print_window(&window, PIXEL,
                     (const uint32_t *)snn_in_arena(network, snn_ports(network->image)->map));
        const struct snn_window edge = window_of_pixel(network, 0, EDGE);
        print_window(&edge, EDGE, NULL);
    }
    CHECK_EQUAL(snn_device_run(network, 1), SNN_OK);
}

int main(void)
{
    static const uint8_t first[2] = {2, 21}, second[4] = {2, 15, 21, 24};
    size_t size;
    struct snn_image *image = build(&size);
    uint32_t *arena = malloc(image->arena_bytes);
    struct snn_device network;
    struct witness witness = {.network = &network};
    const struct snn_observer observer = {
        .context = &witness, .layer = on_layer, .neurons = on_neurons, .rows = on_rows};
    CHECK(arena != NULL);
    CHECK_EQUAL(snn_device_init(&network, image, arena, image->arena_bytes), SNN_OK);
    snn_device_observe(&network, &observer);
    run_step(&network, first, sizeof first);
    run_step(&network, second, sizeof second);
    CHECK_EQUAL(witness.fired, 1);
    print_row(image, 11);
    print_sums(image, &witness);
    print_neurons(image, &witness);
    print_answer(&network, &witness);
    free(arena);
    free(image);
    return 0;
}
